/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __METRICS_H
#define __METRICS_H

#include <stdio.h>
#include "../../bpf/iommufd_exporter.h"
#include "../lib/list.h"
#include "../lib/owner.h"

/**
 * struct context - a context that has metrics of its own
 * @owner: the process that opened it
 * @mapped: bytes, in all of its IOAS
 * @areas: number of mappings
 * @waiting: groups of page faults that wait for a response
 * @totals: counters since it was opened
 */
struct context {
	const struct list_ctx *info;
	struct owner owner;
	__u64 mapped;
	__u64 areas;
	__u64 waiting;
	struct exporter_totals totals;
};

/**
 * struct metrics - all metrics
 * @nr_contexts: number of @contexts
 * @nr_left_out: contexts without metrics of their own
 * @counts: counters of all CPUs
 * @lost_events: events that no program has seen
 * @lost_entries: entries that did not fit a list
 */
struct metrics {
	size_t nr_contexts, nr_left_out;
	struct context *contexts;
	struct exporter_counts counts;
	__u64 lost_events;
	__u64 lost_entries;
};

void metrics_print(FILE *out, const struct metrics *metrics);

#endif
