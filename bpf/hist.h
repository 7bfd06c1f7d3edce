/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a value goes in a latency histogram: every power of two is cut into 16
 * equal steps, so that a bucket is at most 1/16 of its value wide, whatever the
 * value. Values below 16 have a bucket each. Kernel and user space share this
 * file, and nothing else needs to know the layout.
 */
#ifndef __IOMMUFD_HIST_H
#define __IOMMUFD_HIST_H

#define HIST_SUB_BITS 4
#define HIST_SUB      (1 << HIST_SUB_BITS)
/* 2^40 ns are 18 minutes; the last bucket also takes what is longer. */
#define HIST_MAX_BITS 40
#define HIST_BUCKETS  ((HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB)

/* Without loops and without clz, which BPF does not have. */
static inline __u32 hist_log2(__u64 v)
{
	__u32 r, shift;

	r = (v > 0xffffffffULL) << 5;
	v >>= r;
	shift = (v > 0xffff) << 4;
	v >>= shift;
	r |= shift;
	shift = (v > 0xff) << 3;
	v >>= shift;
	r |= shift;
	shift = (v > 0xf) << 2;
	v >>= shift;
	r |= shift;
	shift = (v > 0x3) << 1;
	v >>= shift;
	r |= shift;
	return r | (v >> 1);
}

static inline __u32 hist_bucket(__u64 v)
{
	__u32 octave;

	if (v < HIST_SUB)
		return v;
	if (v >> HIST_MAX_BITS)
		return HIST_BUCKETS - 1;
	octave = hist_log2(v) - HIST_SUB_BITS;
	return (octave + 1) * HIST_SUB + ((v >> octave) & (HIST_SUB - 1));
}

#endif
