// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <math.h>
#include "hist.h"

__u64 hist_width(unsigned int bucket)
{
	if (bucket < 2 * HIST_SUB)
		return 1;
	return 1ULL << (bucket / HIST_SUB - 1);
}

__u64 hist_lower(unsigned int bucket)
{
	if (bucket < HIST_SUB)
		return bucket;
	return (HIST_SUB + bucket % HIST_SUB) * hist_width(bucket);
}

__u64 hist_total(const __u32 *hist)
{
	__u64 total = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		total += hist[i];
	return total;
}

__u64 hist_upper(const __u32 *hist)
{
	for (unsigned int i = HIST_BUCKETS; i--;)
		if (hist[i])
			return hist_lower(i) + hist_width(i) - 1;
	return 0;
}

__u64 hist_percentile(const __u32 *hist, double percent, __u64 max)
{
	__u64 rank = ceil(hist_total(hist) * percent / 100);
	__u64 seen = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		__u64 value;

		seen += hist[i];
		if (!seen || seen < rank)
			continue;
		/* The last bucket has no upper end. */
		value = i == HIST_BUCKETS - 1 ?
				max :
				hist_lower(i) + (hist_width(i) - 1) / 2;
		return value < max ? value : max;
	}
	return 0;
}
