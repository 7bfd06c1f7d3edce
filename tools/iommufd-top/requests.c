// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "../lib/hist.h"
#include "requests.h"

/* The longest request of interval @epoch, or 0. */
static __u64 peak_ns(const struct top_op *op, __u64 epoch)
{
	__u64 peak = op->peak[epoch & 1];

	if (peak >> TOP_PEAK_NS_BITS != (epoch & TOP_PEAK_EPOCH_MASK))
		return 0;
	return peak & TOP_PEAK_NS_MAX;
}

/*
 * @epoch: the interval that ended. Requests that ended after it but before the
 * reading belong to it, although their peak is in the next interval.
 */
static __u64 longest(const struct top_op *now, const __u32 *hist, __u64 epoch)
{
	__u64 max = peak_ns(now, epoch), next = peak_ns(now, epoch + 1);
	__u64 upper = hist_upper(hist);

	if (next > max)
		max = next;
	if (hist_bucket(max) < hist_bucket(upper))
		max = upper;
	return max < now->max_ns ? max : now->max_ns;
}

static void add_numbers(struct requests *to, const struct requests *from)
{
	to->count += from->count;
	to->failed += from->failed;
	to->amount += from->amount;
	to->all_count += from->all_count;
	to->all_failed += from->all_failed;
	to->all_amount += from->all_amount;
	if (to->max_ns < from->max_ns)
		to->max_ns = from->max_ns;
	if (to->all_max_ns < from->all_max_ns)
		to->all_max_ns = from->all_max_ns;
}

void requests_take(struct requests_sum *sum, const struct top_op *now,
		   const struct top_op *base, __u64 epoch)
{
	struct requests op = {
		.count = now->count - base->count,
		.failed = now->failed - base->failed,
		.amount = now->amount - base->amount,
		.all_count = now->count,
		.all_failed = now->failed,
		.all_amount = now->amount,
		.all_max_ns = now->max_ns,
	};
	__u32 hist[HIST_BUCKETS];

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		hist[i] = now->hist[i] - base->hist[i];
		sum->hist[i] += hist[i];
	}
	if (hist_total(hist))
		op.max_ns = longest(now, hist, epoch);
	add_numbers(&sum->op, &op);
}

void requests_add(struct requests_sum *to, const struct requests_sum *from)
{
	add_numbers(&to->op, &from->op);
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		to->hist[i] += from->hist[i];
}

void requests_add_past(struct requests *to, const struct top_op *last)
{
	struct requests op = {
		.all_count = last->count,
		.all_failed = last->failed,
		.all_amount = last->amount,
		.all_max_ns = last->max_ns,
	};

	add_numbers(to, &op);
}

void requests_finish(struct requests_sum *sum)
{
	struct requests *op = &sum->op;

	op->timed = hist_total(sum->hist);
	if (!op->timed)
		return;
	op->p50_ns = hist_percentile(sum->hist, 50, op->max_ns);
	op->p99_ns = hist_percentile(sum->hist, 99, op->max_ns);
}
