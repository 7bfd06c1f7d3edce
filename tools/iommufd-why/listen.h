/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Failures as they come, each with what other events say of it. */
#ifndef __LISTEN_H
#define __LISTEN_H

#include <stdbool.h>
#include "failure.h"
#include "options.h"

/* Called for each. */
typedef void (*listen_fn)(const struct failure *failure);

/*
 * Begins to listen. With a command, only to what descends from this process.
 * False if that can't be done; why was said.
 */
bool listen_begin(const struct options *options, listen_fn tell);

/* Can be read when there is something to take. */
int listen_fd(void);

/* Takes all there is. */
void listen_take(void);

/* Failures that could not be told. */
__u64 listen_lost(void);

void listen_end(void);

#endif
