/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __MAPLAT_H
#define __MAPLAT_H

#include <stddef.h>
#include "options.h"

/* A histogram, all CPUs together. */
struct row {
	struct maplat_key key;
	struct maplat_row sum;
};

/**
 * struct report - what happened in an interval
 * @time_ns: when it ended, since 1970
 * @interval_ns: how long it was
 * @lost: requests since the start that are in no row
 * @rows: maps before unmaps, then what took longest
 */
struct report {
	__u64 time_ns;
	__u64 interval_ns;
	__u64 lost;
	size_t nr;
	struct row *rows;
};

/* The parts of an operation in order, the total first; NULL: it has none. */
extern const char *const part_titles[MAPLAT_OPS][MAPLAT_PARTS];
extern const char *const op_names[MAPLAT_OPS];

void print_report(const struct report *report, const struct options *options);

void print_call_titles(const struct options *options);
/* @time_ns: when it ended, since 1970. */
void print_call(const struct maplat_call *call, __u64 time_ns,
		const struct options *options);

void print_lost(__u64 lost, const struct options *options);

#endif
