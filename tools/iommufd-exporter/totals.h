/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counters of contexts. The kernel counts for each object, and a sum over those
 * that are there falls when one is destroyed, which a counter must not: what the
 * last look has seen of it stays in the context's.
 */
#ifndef __TOTALS_H
#define __TOTALS_H

#include "../lib/list.h"

enum total {
	TOTAL_MAPS,
	TOTAL_UNMAPS,
	TOTAL_INVALIDATIONS,
	TOTALS,
};

struct totals {
	size_t nr_contexts, nr_objects;
	struct total_ctx *contexts;
	struct total_object *objects;
	__u64 lost;
};

/* Takes what there is now. */
void totals_take(struct totals *totals, const struct listing *found);

/* By enum total, until the next call of the above. */
const __u64 *totals_of(const struct totals *totals, __u32 ctx);

void totals_free(struct totals *totals);

#endif
