/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What contexts had done before the start, as far as the kernel still knows it:
 * the kernel counts by object, and destroyed objects are gone. After the start,
 * the exporter counts by context, so that counters never decrease.
 */
#ifndef __TOTALS_H
#define __TOTALS_H

#include "../../bpf/iommufd_exporter.h"
#include "../lib/list.h"

struct totals {
	size_t nr;
	struct total_ctx *contexts;
};

/* Takes the counters of all objects at the start. */
void totals_take(struct totals *totals, const struct listing *found);

/* Adds what the context did before the start. */
void totals_add(const struct totals *totals, __u32 ctx,
		struct exporter_totals *to);

void totals_free(struct totals *totals);

#endif
