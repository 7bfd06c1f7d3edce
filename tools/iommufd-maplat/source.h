/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __SOURCE_H
#define __SOURCE_H

#include "maplat.h"

/**
 * struct source - who tells of requests
 * @open: begins; false after having said why it can't
 * @read: fills in the rows of what ended since the last time, in any order;
 *	false after having said why it can't
 * @fd: can be read when there are single requests
 * @take: prints them
 * @lost: requests that are in nothing, since the start
 * @close: ends
 */
struct source {
	bool (*open)(const struct options *options);
	bool (*read)(struct report *report);
	int (*fd)(void);
	void (*take)(void);
	__u64 (*lost)(void);
	void (*close)(void);
};

/* The trace events of iommufd. */
extern const struct source events_source;
/* The system calls, on kernels that don't have those. */
extern const struct source stock_source;

/* A new row of a report, the others move. */
struct row *add_row(struct report *report, const struct maplat_key *key);

#endif
