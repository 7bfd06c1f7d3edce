/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __MAPLAT_H
#define __MAPLAT_H

#include <stddef.h>
#include "options.h"

/* A histogram over all CPUs. */
struct row {
	struct maplat_key key;
	struct maplat_row sum;
};

/**
 * struct report - requests in an interval
 * @time_ns: when it ended, since 1970
 * @interval_ns: its length
 * @lost: requests since the start that are in no row
 * @rows: maps before unmaps, then by total time or by size
 */
struct report {
	__u64 time_ns;
	__u64 interval_ns;
	__u64 lost;
	size_t nr;
	struct row *rows;
};

/* Prints a note about what a stock kernel does not report. */
void print_stock(const struct options *options);

void print_report(const struct report *report, const struct options *options);

void print_call_titles(const struct options *options);
void print_call(const struct maplat_call *call, const struct options *options);

#endif
