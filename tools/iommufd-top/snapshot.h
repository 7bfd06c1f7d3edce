/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The current state of objects, from the iterators instead of events. */
#ifndef __PRESENT_H
#define __PRESENT_H

#include "../lib/list.h"
#include "model.h"

struct collector;

/* Flags of a page table, IOMMUFD_INFO_* of kernel/bpf/iommufd_bpf.h. */
enum {
	PRESENT_AUTOMATIC = 1,
	PRESENT_NEST_PARENT = 2,
	PRESENT_COHERENT = 4,
	PRESENT_FAULTS = 8,
};

/*
 * Adds rows for objects that exist when counting begins. Returns 0 or a
 * negative errno.
 */
int present_adopt(struct collector *c);

/* NULL if it does not exist. */
const struct list_object *present_find(const struct listing *listing, __u32 ctx,
				       __u32 id);

/* The IOAS below a page table or vIOMMU, 0 if it is not known. */
__u32 present_root(const struct listing *listing, __u32 ctx, __u32 id);

/* Devices on a page table: all of its users except objects on top of it. */
__s64 present_devices(const struct listing *listing,
		      const struct list_object *table);

/* Sets the mapped and pinned memory of an IOAS. */
void present_gauges(struct entry *entry, const struct listing *listing);

/*
 * Sets the numbers of processes that come from contexts: pinned pages, which
 * several IOAS may share, the limit, and waiting page faults. Also sets the
 * totals.
 */
void present_contexts(struct collector *c);

#endif
