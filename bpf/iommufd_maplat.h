/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Data of iommufd_maplat.bpf.c, for iommufd-maplat. */
#ifndef __IOMMUFD_MAPLAT_H
#define __IOMMUFD_MAPLAT_H

#include "operation.h"
#include "slots.h"

#define MAPLAT_COMM_LEN 16
#define MAPLAT_MAX_ROWS 8192

/* The parts of a request's time; each operation has some of them. */
enum maplat_part {
	MAPLAT_TOTAL,
	MAPLAT_LOCK, /* waiting for locks */
	MAPLAT_PIN,
	MAPLAT_IOMMU, /* page tables */
	MAPLAT_SYNC, /* IOTLB */
	MAPLAT_UNPIN,
	MAPLAT_PARTS,
};

/* The key of the histograms. */
enum maplat_by {
	MAPLAT_BY_NOTHING,
	MAPLAT_BY_IOAS,
	MAPLAT_BY_PROCESS,
	MAPLAT_BY_SIZE,
};

/**
 * struct maplat_key - key of a histogram
 * @op: OP_MAP or OP_UNMAP
 * @ctx: context, if by IOAS
 * @tgid: process, if by IOAS and the context is not known
 * @id: id of the IOAS; process; slot of the size
 */
struct maplat_key {
	__u32 op;
	__u32 ctx;
	__u32 tgid;
	__u32 id;
};

/**
 * struct maplat_row - the requests of an interval on one CPU
 * @failed: failed requests, which are not counted elsewhere
 * @untimed: requests that began before the start, which are only in @bytes
 * @bytes: mapped or unmapped bytes
 * @comm: name of the process, if by process
 * @part: durations in ns, by enum maplat_part
 */
struct maplat_row {
	__u64 failed;
	__u64 untimed;
	__u64 bytes;
	char comm[MAPLAT_COMM_LEN];
	struct slots part[MAPLAT_PARTS];
};

/**
 * struct maplat_call - a slow request
 * @end_ns: when it ended, ktime
 * @iova: as in the event, like the following ones
 * @bytes: requested or unmapped bytes
 * @pages: pinned or unpinned pages
 * @ns: durations, by enum maplat_part
 */
struct maplat_call {
	__u64 end_ns;
	__u64 iova;
	__u64 bytes;
	__u64 pages;
	__u64 runs;
	__u64 ns[MAPLAT_PARTS];
	__u32 op;
	__u32 tgid;
	__u32 ctx;
	__u32 ioas;
	__s32 ret;
	__u32 unused;
	char comm[MAPLAT_COMM_LEN];
};

#endif
