/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Failures as they happen, each with what other events say about it. */
#ifndef __LISTEN_H
#define __LISTEN_H

#include <stdbool.h>
#include "failure.h"
#include "options.h"

/* Called for each failure. */
typedef void (*listen_fn)(const struct failure *failure);

/*
 * Starts to listen. With a command, only to descendants of this process.
 * Returns false after reporting an error.
 */
bool listen_begin(const struct options *options, listen_fn tell);

/* Readable when there are failures. */
int listen_fd(void);

/* Calls the function for all failures that are there. */
void listen_take(void);

/* Failures that could not be reported. */
__u64 listen_lost(void);

void listen_end(void);

#endif
