/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rates in recent intervals, as sparklines. */
#ifndef __HISTORY_H
#define __HISTORY_H

#include "model.h"

/* Number of intervals, and so the maximum width of a sparkline. */
#define HISTORY_LEN 16
/* A character may take three bytes. */
#define SPARK_LEN (3 * HISTORY_LEN + 1)

struct history;

struct history *history_open(void);
void history_close(struct history *history);

/* Adds the rates of a model. */
void history_take(struct history *history, const struct model *model);

/*
 * The sparkline of a row, of all requests of an operation, or, if that is OPS,
 * of all that failed. It shows the last @width intervals, the current one on
 * the right, in @buf of SPARK_LEN bytes, scaled to the maximum; a blank is a
 * rate of 0.
 */
const char *history_row(char *buf, struct history *history, enum view view,
			const struct entry *row, int width);
const char *history_total(char *buf, struct history *history, enum operation op,
			  int width);

#endif
