/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __PINS_H
#define __PINS_H

#include <stddef.h>
#include "../../bpf/iommufd_pins.h"
#include "../lib/list.h"
#include "../lib/loop.h"

/**
 * struct options - what the user wants
 * @loop: INTERVAL and COUNT
 * @pid: only this process, 0 for all
 */
struct options {
	struct loop loop;
	unsigned long pid;
	bool timestamp;
	bool json;
	bool verbose;
};

/**
 * struct amount - pages pinned for something
 * @now: now
 * @grown: more than in the last report, or fewer
 * @since: more than at the start, or fewer
 */
struct amount {
	__u64 now;
	__s64 grown;
	__s64 since;
};

/* What bears pinned pages; the first two as enum iommufd_accounting. */
enum mode {
	MODE_USER,
	MODE_MM,
	MODE_NONE,
};

/**
 * struct ioas - an IOAS
 * @mix: what was mapped since the start, by contiguity
 */
struct ioas {
	const struct list_object *info;
	struct amount pinned;
	struct pins_mix mix;
};

/**
 * struct ctx - an open file of /dev/iommu
 * @owner: who opened it, as it is now
 * @mode: what is charged for what it pins now
 * @ioas: those in it, @nr
 */
struct ctx {
	const struct list_ctx *info;
	struct pins_owner owner;
	enum mode mode;
	struct amount pinned;
	size_t nr;
	struct ioas *ioas;
};

/**
 * struct report - who pins what
 * @first: there is no growth yet
 * @lost: what is in none of it
 * @contexts: the one that pins the most first
 */
struct report {
	bool first;
	__u64 time_ns;
	__u64 lost;
	size_t nr;
	struct ctx *contexts;
};

/* Pages charged to whoever bears what the context pins now; 0 if nobody. */
__u64 pages_used(const struct ctx *ctx);

/* How many there may be; ~0 for any number, or nobody knows. */
__u64 pages_limit(const struct ctx *ctx);

void print_report(const struct report *report, const struct options *options);

#endif
