/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __SERVER_H
#define __SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct server;

/*
 * Returns the metrics, which the caller frees, or NULL after reporting an
 * error. @old selects the older text format of Prometheus, for clients that do
 * not accept OpenMetrics.
 */
typedef char *server_metrics_fn(void *data, size_t *size, bool old);

/*
 * Starts serving in a thread, which calls @metrics. Takes over @fd, a listening
 * socket. Returns NULL after reporting an error.
 */
struct server *server_start(int fd, server_metrics_fn *metrics, void *data);

/* When it returns, @metrics is no longer called. */
void server_stop(struct server *server);

#endif
