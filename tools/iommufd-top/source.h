/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where reports come from. */
#ifndef __SOURCE_H
#define __SOURCE_H

#include "report.h"

/**
 * struct source_options - what to look at
 * @pid: this process only, unless it is 0
 * @cost: measure what the BPF programs cost
 */
struct source_options {
	__u32 pid;
	bool cost;
};

/**
 * struct source - the events of iommufd, or the system calls of a stock kernel
 * @open: false after having said why not
 * @sync: reads the counters and removes from the kernel what has ended, without
 *	beginning a new interval; false after having said why not
 * @report: reads the counters, tells what happened in the interval that ends
 *	here, and begins the next. It is valid until the next call; NULL after
 *	having said why not
 * @watch_failures: begins to tell of failures and their reasons; false after
 *	having said why not
 * @close: may be called whatever @open has returned
 */
struct source {
	bool (*open)(const struct source_options *options);
	bool (*sync)(void);
	const struct report *(*report)(void);
	bool (*watch_failures)(void);
	void (*close)(void);
};

extern const struct source events_source;
extern const struct source stock_source;

#endif
