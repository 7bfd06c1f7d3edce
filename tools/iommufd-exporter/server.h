/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __SERVER_H
#define __SERVER_H

#include <stddef.h>

struct server;

/* The metrics, to be freed; NULL if there are none now: why was said. */
typedef char *server_metrics_fn(void *data, size_t *size);

/*
 * Answers from now on, in one thread of its own, which calls @metrics; @fd, a
 * socket that listens, belongs to it. NULL after having said why not.
 */
struct server *server_start(int fd, server_metrics_fn *metrics, void *data);

/* Once it returns nothing calls @metrics any more. */
void server_stop(struct server *server);

#endif
