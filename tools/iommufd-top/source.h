/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sources of models. */
#ifndef __SOURCE_H
#define __SOURCE_H

#include "model.h"

/**
 * struct source_options - what to watch
 * @pid: only this process, 0 for all
 * @cost: measure the cost of the BPF programs
 */
struct source_options {
	__u32 pid;
	bool cost;
};

/**
 * struct source - the events of iommufd, or the system calls of a stock kernel
 * @open: returns false after reporting an error
 * @sync: reads the counters and removes ended objects from the kernel's maps,
 *	without starting a new interval; returns false after reporting an error
 * @read: reads the counters, makes a model of the interval that ends now,
 *	and starts the next interval. The model is valid until the next call;
 *	returns NULL after reporting an error
 * @watch_failures: starts to collect failures and their reasons; returns false
 *	after reporting an error
 * @close: may be called whatever @open has returned
 */
struct source {
	bool (*open)(const struct source_options *options);
	bool (*sync)(void);
	const struct model *(*read)(void);
	bool (*watch_failures)(void);
	void (*close)(void);
};

extern const struct source events_source;
extern const struct source stock_source;

#endif
