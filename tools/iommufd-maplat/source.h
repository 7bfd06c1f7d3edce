/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __SOURCE_H
#define __SOURCE_H

#include "maplat.h"

/**
 * struct source - a source of requests
 * @open: start; returns false after reporting an error
 * @has_part: whether it shows a part of the time of requests
 * @read: fill in the rows of the requests since the last call, in any order;
 *	returns false after reporting an error
 * @fd: readable when there are single requests
 * @take: print the single requests
 * @lost: requests since the start that were neither counted nor printed
 * @close: stop
 */
struct source {
	bool (*open)(const struct options *options);
	bool (*has_part)(enum maplat_part part);
	bool (*read)(struct report *report);
	int (*fd)(void);
	void (*take)(void);
	__u64 (*lost)(void);
	void (*close)(void);
};

/* The trace events of iommufd. */
extern const struct source events_source;
/* The system calls, on kernels without these trace events. */
extern const struct source stock_source;

/* Inserts a row into a report, which moves the others. */
struct row *add_row(struct report *report, const struct maplat_key *key);

#endif
