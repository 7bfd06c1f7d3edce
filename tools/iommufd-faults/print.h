/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __PRINT_H
#define __PRINT_H

#include "options.h"
#include "table.h"

/**
 * struct ended - a group of faults to list
 * @group: its report
 * @ctx: its context, or NULL if that is not known
 * @device: name of its device, empty if that is not known
 * @end: how it ended
 * @wait_ns: how long it waited for that, 0 if not known
 * @time_ns: when it ended, since 1970
 */
struct ended {
	const struct group *group;
	const struct ctx *ctx;
	const char *device;
	enum end end;
	__u64 wait_ns;
	__u64 time_ns;
};

void print_titles(const struct options *options);
void print_ended(const struct ended *ended, const struct options *options);
/* @time_ns: time of the event, since 1970. */
void print_vevent(const struct faults_record *event, const struct ctx *ctx,
		  __u64 time_ns, const struct options *options);

/*
 * Prints the totals of an interval; @lost: events since the start that are
 * missing.
 */
void print_sums(const struct table *table, __u64 time_ns, __u64 interval_ns,
		__u64 lost, const struct options *options);

#endif
