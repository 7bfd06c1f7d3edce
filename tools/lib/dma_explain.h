/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Explains the address of a DMA fault: facts, conclusion, and both in words. */
#ifndef __LIB_DMA_EXPLAIN_H
#define __LIB_DMA_EXPLAIN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "../../bpf/iommufd_history.h"
#include "../../bpf/iommufd_list.h"
#include "dma_fault.h"

/**
 * enum finding - what is at the address
 * @FINDING_UNKNOWN: it is not known what the IOAS maps
 * @FINDING_DETACHED: the device was attached to no page table
 * @FINDING_GUEST: a page table of a guest translates the address
 * @FINDING_RESERVED: the device reserves the address
 * @FINDING_OUTSIDE: beyond the addresses that the page table translates
 * @FINDING_REVOKED: a dma-buf that its owner has revoked
 * @FINDING_READ_ONLY: mapped, but not for writing
 * @FINDING_WRITE_ONLY: mapped, but not for reading
 * @FINDING_MAPPED: mapped now, with the right to do this
 * @FINDING_UNMAPPED: an unmap of it was seen, and it is not mapped
 * @FINDING_ELSEWHERE: only another IOAS of the process maps it
 * @FINDING_NOT_MAPPED: not mapped, as far as known at no time
 */
enum finding {
	FINDING_UNKNOWN,
	FINDING_DETACHED,
	FINDING_GUEST,
	FINDING_RESERVED,
	FINDING_OUTSIDE,
	FINDING_REVOKED,
	FINDING_READ_ONLY,
	FINDING_WRITE_ONLY,
	FINDING_MAPPED,
	FINDING_UNMAPPED,
	FINDING_ELSEWHERE,
	FINDING_NOT_MAPPED,
	FINDINGS,
};

#define EXPLAIN_TYPE_LEN 32
#define EXPLAIN_TEXT_LEN 256

/**
 * struct dma_explanation - facts about an address, and the conclusion
 * @finding: the conclusion
 * @iova: the address
 * @now_ns: ktime of the facts
 * @ctx: context of the device, 0 if not known
 * @ioas: IOAS that the device is attached to, 0 if not known
 * @hwpt: page table that it is attached to, 0 if not known
 * @is_detached: it is attached to none
 * @is_guest: @hwpt is one that a guest manages
 * @has_areas: the mappings of @ioas are known: @near has those at and next to
 *	the address
 * @other_ctx: of @other_ioas, another IOAS of the process, which maps the
 *	address as @other; 0 for none
 * @has_unmap: @unmap is the last unmap request that includes the address
 * @has_detach: @detach is the last detach of the device
 * @history_ns: how far back unmaps are known; 0 if they are not
 * @reserved: type of the reserved range @reserved_first to @reserved_last, which
 *	has the address, or ""
 */
struct dma_explanation {
	enum finding finding;
	__u64 iova;
	__u64 now_ns;
	__u32 ctx;
	__u32 ioas;
	__u32 hwpt;
	__u32 other_ctx;
	__u32 other_ioas;
	bool is_detached;
	bool is_guest;
	bool has_areas;
	bool has_unmap;
	bool has_detach;
	struct list_near near;
	struct list_area other;
	struct history_unmap unmap;
	struct history_attach detach;
	__u64 history_ns;
	__u64 reserved_first;
	__u64 reserved_last;
	char reserved[EXPLAIN_TYPE_LEN];
};

/* Concludes the finding from the other facts. */
void dma_explain(struct dma_explanation *why, const struct dma_fault *fault);

/* The finding as one word, for JSON. */
const char *dma_finding_name(enum finding finding);

/*
 * The facts that matter in words, one line after the other: @line counts from 0.
 * Returns NULL after the last one.
 */
const char *dma_explain_text(char text[EXPLAIN_TEXT_LEN],
			     const struct dma_explanation *why,
			     unsigned int line);

/*
 * Looks up the address in a file reserved_regions of an IOMMU group. Returns
 * false if it is not reserved.
 */
bool dma_explain_reserved(struct dma_explanation *why, const char *path);

#endif
