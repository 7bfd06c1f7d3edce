/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OP_H
#define __OP_H

#include "model.h"

/**
 * struct op_sum - requests of one kind, of one object or several
 * @op: the numbers; op_finish() sets the percentiles
 * @hist: durations of those in this interval
 */
struct op_sum {
	struct op_report op;
	__u32 hist[HIST_BUCKETS];
};

/* Adds the difference between @base and @now, of interval @epoch. */
void op_take(struct op_sum *sum, const struct top_op *now,
	     const struct top_op *base, __u64 epoch);

/* Adds @from to @to; for rows of the past, only the sums since the start. */
void op_add(struct op_sum *to, const struct op_sum *from);
void op_add_past(struct op_report *to, const struct top_op *last);

void op_finish(struct op_sum *sum);

#endif
