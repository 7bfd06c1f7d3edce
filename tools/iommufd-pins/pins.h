/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __PINS_H
#define __PINS_H

#include <stddef.h>
#include "../lib/common.h"
#include "../lib/list.h"
#include "../lib/loop.h"
#include "../lib/owner.h"

/**
 * struct options - the command line
 * @loop: INTERVAL and COUNT
 * @memlock: show what each process needs, instead of what it has
 * @common: process, time of day, JSON, libbpf's messages
 * @source: what serves the numbers; not an option
 */
struct options {
	struct loop loop;
	bool memlock;
	struct common_options common;
	enum source_kind source;
};

/**
 * struct amount - number of pinned pages
 * @now: current number, LIST_UNKNOWN if the kernel does not show it
 * @grown: change since the last report
 * @since: change since the start
 */
struct amount {
	__u64 now;
	__s64 grown;
	__s64 since;
};

/* Classes of page sizes. */
enum size_class {
	SIZE_BELOW_64K,
	SIZE_64K,
	SIZE_2M,
	SIZE_1G,
	SIZE_CLASSES,
};

/**
 * struct ioas - an IOAS
 * @table_pages: memory of its page tables, LIST_UNKNOWN if that of any is
 * @hwpts: its page tables, @nr_hwpts of them
 * @has_sizes: @bytes is known
 * @bytes: pinned memory, by the size of the pages that can map it
 */
struct ioas {
	const struct list_object *info;
	struct amount pinned;
	__u64 table_pages;
	size_t nr_hwpts;
	const struct list_object **hwpts;
	bool has_sizes;
	__u64 bytes[SIZE_CLASSES];
};

/**
 * struct ctx - an open file of /dev/iommu
 * @owner: the process that opened it
 * @ioas: its IOAS, @nr of them
 * @devices: its devices, @nr_devices of them
 */
struct ctx {
	const struct list_ctx *info;
	struct owner owner;
	struct amount pinned;
	size_t nr;
	struct ioas *ioas;
	size_t nr_devices;
	const struct list_object **devices;
};

/**
 * struct report - pinned memory by context, of all processes
 * @first: first report, so that there is no growth
 * @lost: entries that are missing
 * @contexts: sorted by pinned pages, the largest number first
 */
struct report {
	bool first;
	__u64 time_ns;
	__u64 lost;
	size_t nr;
	struct ctx *contexts;
};

void print_report(const struct report *report, const struct options *options);

#endif
