/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __METRICS_H
#define __METRICS_H

#include <stdio.h>
#include "../../bpf/iommufd_exporter.h"
#include "../lib/dma_count.h"
#include "../lib/list.h"
#include "../lib/owner.h"
#include "limits.h"

/**
 * struct context - a context that has metrics of its own
 * @owner: the process that opened it
 * @mapped: bytes, in all of its IOAS
 * @areas: number of mappings
 * @table_pages: of its page tables, LIST_UNKNOWN if that of any is
 * @waiting: groups of page faults that wait for a response
 * @totals: counters since it was opened
 */
struct context {
	const struct list_ctx *info;
	struct owner owner;
	__u64 mapped;
	__u64 areas;
	__u64 table_pages;
	__u64 waiting;
	struct exporter_totals totals;
};

/**
 * struct device - a device of such a context
 * @ctx: number of its context
 * @id: its id there
 * @seen: what events said about it
 */
struct device {
	__u32 ctx;
	__u32 id;
	struct exporter_device seen;
};

/* Failures of a context for a reason. */
struct failed {
	struct exporter_key key;
	__u64 count;
};

/* Requests that a policy refused or limited. */
struct refused {
	char policy[EXPORTER_POLICY_LEN];
	__u64 count;
};

/**
 * struct metrics - all metrics
 * @nr_contexts: number of @contexts
 * @nr_left_out: contexts without metrics of their own
 * @nr_devices: number of @devices
 * @nr_failed: number of @failed, which are of @contexts
 * @nr_refused: number of @refused
 * @limits: owners of policies that limit pinned memory
 * @dma: DMA that IOMMUs refused, NULL if that is not known
 * @counts: counters of all CPUs
 * @table_pages: pages that page tables of all IOMMUs take, ~0 if not known
 * @lost_events: events that no program has seen
 * @lost_entries: entries that did not fit a list
 */
struct metrics {
	size_t nr_contexts, nr_left_out;
	struct context *contexts;
	size_t nr_devices, nr_failed, nr_refused;
	struct device *devices;
	struct failed *failed;
	struct refused *refused;
	struct limits limits;
	const struct dma_count *dma;
	struct exporter_counts counts;
	__u64 table_pages;
	__u64 lost_events;
	__u64 lost_entries;
};

void metrics_print(FILE *out, const struct metrics *metrics);

#endif
