/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A small histogram: one slot for 0, and one for each power of two. Only
 * programs on one CPU add to it; user space sums up.
 */
#ifndef __IOMMUFD_SLOTS_H
#define __IOMMUFD_SLOTS_H

#include <linux/types.h>
#include "hist.h"

/* 0, 1, 2..3, 4..7 and so on; the last one also has all larger values. */
#define SLOTS 42

struct slots {
	__u64 sum;
	__u64 max;
	__u64 count[SLOTS];
};

static inline __u32 slot_of(__u64 value)
{
	__u32 slot = hist_bits(value);

	return slot < SLOTS ? slot : SLOTS - 1;
}

static inline void slots_add(struct slots *slots, __u64 value)
{
	__u32 slot = slot_of(value);

	/* Keeps the bounds check for the verifier. */
	asm volatile("" : "+r"(slot));
	if (slot < SLOTS)
		slots->count[slot]++;
	slots->sum += value;
	if (slots->max < value)
		slots->max = value;
}

#endif
