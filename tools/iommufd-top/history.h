/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How rates have been in the last intervals, as small curves. */
#ifndef __HISTORY_H
#define __HISTORY_H

#include "report.h"

/* Intervals that are kept, and so the width of a curve at the most. */
#define HISTORY_LEN 16
/* A character may take three bytes. */
#define SPARK_LEN (3 * HISTORY_LEN + 1)

struct history;

/* What curves there are of the whole, beside those of rows. */
enum whole {
	WHOLE_MAPS,
	WHOLE_UNMAPS,
	WHOLE_INVALIDATIONS,
	WHOLE_FAILURES,
	WHOLES,
};

struct history *history_open(void);
void history_close(struct history *history);

/* Takes the rates of a report. */
void history_take(struct history *history, const struct report *report);

/*
 * The curve of a row, or of the whole, over the last @width intervals, the
 * present one to the right, in @buf of SPARK_LEN bytes: as high as it has been
 * at most there. A blank is a rate of 0.
 */
const char *history_row(char *buf, struct history *history, enum view view,
			const struct entry *row, int width);
const char *history_whole(char *buf, struct history *history, enum whole which,
			  int width);

#endif
