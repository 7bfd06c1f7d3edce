/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __COLLECT_H
#define __COLLECT_H

#include <stddef.h>

struct collect;

/*
 * Counts from now on. @contexts: the most that are told of one by one. NULL
 * after having said why not.
 */
struct collect *collect_open(unsigned long contexts);
void collect_close(struct collect *collect);

/* A server_metrics_fn; @data is a struct collect. */
char *collect_metrics(void *data, size_t *size);

#endif
