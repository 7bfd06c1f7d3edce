/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Buckets of a latency histogram: every power of two is divided into 16 equal
 * steps, so that the width of a bucket is at most 1/16 of its values. Values
 * below 16 have a bucket each. Kernel and user space share this file; nothing
 * else needs to know the layout.
 */
#ifndef __IOMMUFD_HIST_H
#define __IOMMUFD_HIST_H

#include <linux/types.h>

#define HIST_SUB_BITS 4
#define HIST_SUB      (1 << HIST_SUB_BITS)
/* 2^40 ns are 18 minutes; the last bucket also has all longer durations. */
#define HIST_MAX_BITS 40
#define HIST_BUCKETS  ((HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB)

/* Keeps clang from evaluating both sides of a branch. */
static inline __u64 hist_branch(__u64 v)
{
	asm volatile("" : "+r"(v));
	return v;
}

/* The number of bits of numbers below 16. */
static const __u8 hist_small_bits[16] = { 0, 1, 2, 2, 3, 3, 3, 3,
					  4, 4, 4, 4, 4, 4, 4, 4 };

/*
 * The number of bits of a value, 0 for 0. No loops and no clz, which BPF does
 * not have. Small values, which are the most frequent ones, skip most of it.
 */
static inline __u32 hist_bits(__u64 v)
{
	__u32 r = 0;

	if (v > 0xffff) {
		if (v > 0xffffffffULL) {
			v = hist_branch(v >> 32);
			r = 32;
		}
		if (v > 0xffff) {
			v = hist_branch(v >> 16);
			r += 16;
		}
	}
	if (v > 0xff) {
		v = hist_branch(v >> 8);
		r += 8;
	}
	if (v > 0xf) {
		v = hist_branch(v >> 4);
		r += 4;
	}
	return r + hist_small_bits[v & 0xf];
}

static inline __u32 hist_bucket(__u64 v)
{
	__u32 octave, bucket;

	if (v < HIST_SUB)
		return v;
	octave = hist_bits(v) - HIST_SUB_BITS - 1;
	bucket = octave * HIST_SUB + (v >> octave);
	return bucket < HIST_BUCKETS ? bucket : HIST_BUCKETS - 1;
}

#endif
