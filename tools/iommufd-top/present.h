/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What there is, as opposed to what happens: from the iterators. */
#ifndef __PRESENT_H
#define __PRESENT_H

#include "../lib/list.h"
#include "report.h"

struct collector;

/* Flags of a page table, IOMMUFD_INFO_* of kernel/bpf/iommufd_bpf.h. */
enum {
	PRESENT_AUTOMATIC = 1,
	PRESENT_NEST_PARENT = 2,
	PRESENT_COHERENT = 4,
	PRESENT_FAULTS = 8,
};

/*
 * Makes rows for what is there already when events begin to be counted. Returns
 * a negative errno if it can't.
 */
int present_adopt(struct collector *c);

/* NULL if there is none. */
const struct list_object *present_find(const struct listing *listing, __u32 ctx,
				       __u32 id);

/* The IOAS that a page table or vIOMMU leads to, 0 if it is not known. */
__u32 present_root(const struct listing *listing, __u32 ctx, __u32 id);

/* Devices on a page table: what depends on it and is nothing on top of it. */
__s64 present_devices(const struct listing *listing,
		      const struct list_object *table);

/* Sets what the IOAS of a row has mapped and pinned now. */
void present_gauges(struct entry *entry, const struct listing *listing);

/*
 * Sets what processes have that contexts tell: pages pinned, of which several
 * IOAS may share some, the limit, page faults that wait; and the totals.
 */
void present_contexts(struct collector *c);

#endif
