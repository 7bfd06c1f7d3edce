/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The current state of objects, from the iterators instead of events. */
#ifndef __SNAPSHOT_H
#define __SNAPSHOT_H

#include "../lib/list.h"
#include "model.h"

struct collector;

/*
 * Adds rows for objects that exist when counting begins. Returns 0 or a
 * negative errno.
 */
int snapshot_adopt(struct collector *c);

/* NULL if it does not exist. */
const struct list_object *snapshot_find(const struct listing *listing,
					__u32 ctx, __u32 id);

/* The IOAS below a page table or vIOMMU, 0 if it is not known. */
__u32 snapshot_root(const struct listing *listing, __u32 ctx, __u32 id);

/* Devices on a page table: all of its users except objects on top of it. */
__s64 snapshot_devices(const struct listing *listing,
		       const struct list_object *table);

/* Sets the mapped and pinned memory of an IOAS. */
void snapshot_gauges(struct entry *entry, const struct listing *listing);

/*
 * Sets the numbers of processes that come from contexts: pinned pages, which
 * several IOAS may share, the limit, and waiting page faults. Also sets the
 * totals.
 */
void snapshot_contexts(struct collector *c);

#endif
