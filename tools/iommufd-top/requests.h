/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __REQUESTS_H
#define __REQUESTS_H

#include "model.h"

/**
 * struct requests_sum - requests of one kind, of one object or several
 * @op: the numbers; requests_finish() sets the percentiles
 * @hist: durations of those in this interval
 */
struct requests_sum {
	struct requests op;
	__u32 hist[HIST_BUCKETS];
};

/* Adds the difference between @base and @now, of interval @epoch. */
void requests_take(struct requests_sum *sum, const struct top_op *now,
		   const struct top_op *base, __u64 epoch);

/* Adds @from to @to; for rows of the past, only the sums since the start. */
void requests_add(struct requests_sum *to, const struct requests_sum *from);
void requests_add_past(struct requests *to, const struct top_op *last);

void requests_finish(struct requests_sum *sum);

#endif
