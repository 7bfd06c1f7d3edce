/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __COLLECT_H
#define __COLLECT_H

#include <stdbool.h>
#include <stddef.h>

struct collect;

/*
 * Starts counting. At most @contexts contexts have metrics of their own.
 * Returns NULL after reporting an error.
 */
struct collect *collect_open(unsigned long contexts);
void collect_close(struct collect *collect);

/* A server_metrics_fn; @data is a struct collect. */
char *collect_metrics(void *data, size_t *size, bool old);

#endif
