/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_HIST_H
#define __LIB_HIST_H

#include <linux/types.h>
#include "../../bpf/hist.h"

/* Smallest value of a bucket, and how many values it holds. */
__u64 hist_lower(unsigned int bucket);
__u64 hist_width(unsigned int bucket);

/*
 * The value that @percent of all values in @hist don't exceed. It is the middle
 * of a bucket, so within 1/32 of the exact value, but at most @max, the largest
 * value in @hist. 0 if @hist is empty.
 */
__u64 hist_percentile(const __u32 *hist, double percent, __u64 max);

/* Number of values in @hist. */
__u64 hist_total(const __u32 *hist);

/* Largest value that the highest bucket in use can represent. */
__u64 hist_upper(const __u32 *hist);

#endif
