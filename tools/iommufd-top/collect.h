/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __COLLECT_H
#define __COLLECT_H

#include "report.h"

struct collector;

/* Loads and attaches the BPF programs; NULL after having said why not. */
struct collector *collect_open(void);
void collect_close(struct collector *c);

/*
 * Reads the counters and removes from the kernel what has ended, without
 * beginning a new interval. -1 after having said why not.
 */
int collect_sync(struct collector *c);

/*
 * Reads the counters, tells what happened in the interval that ends here, and
 * begins the next. The report is valid until the next call.
 */
const struct report *collect_report(struct collector *c);

#endif
