/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __PINS_H
#define __PINS_H

#include <stddef.h>
#include "../lib/common.h"
#include "../lib/list.h"
#include "../lib/loop.h"
#include "../lib/owner.h"

/**
 * struct options - what the user wants
 * @loop: INTERVAL and COUNT
 * @common: process, time of day, JSON, libbpf's messages
 */
struct options {
	struct loop loop;
	struct common_options common;
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
 * @owner: who opened it
 * @ioas: those in it, @nr
 */
struct ctx {
	const struct list_ctx *info;
	struct owner owner;
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

void print_report(const struct report *report, const struct options *options);

#endif
