/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What iommufd_top.bpf.c keeps and iommufd-top reads. All counters only ever
 * grow, so that a reader gets the work of an interval as a difference and needs
 * no lock; what is mapped or pinned now comes from the iterators.
 */
#ifndef __IOMMUFD_TOP_H
#define __IOMMUFD_TOP_H

#include "hist.h"

#define TOP_COMM_LEN	 16
#define TOP_MAX_CONTEXTS 8192
#define TOP_MAX_ROWS	 8192

/*
 * The longest request of an interval: the number of the interval and the
 * nanoseconds packed into one word, so that one compare-and-exchange sets both.
 */
#define TOP_PEAK_NS_BITS    40
#define TOP_PEAK_NS_MAX	    ((1ULL << TOP_PEAK_NS_BITS) - 1)
#define TOP_PEAK_EPOCH_MASK ((1ULL << (64 - TOP_PEAK_NS_BITS)) - 1)

enum top_op_kind {
	TOP_MAP,
	TOP_UNMAP,
	TOP_OPS,
};

struct top_key {
	__u32 ctx;
	__u32 ioas;
};

/**
 * struct top_ctx - a file of /dev/iommu
 * @late: it was open before us
 * @closed: no more events come from it; who reads this removes its rows
 */
struct top_ctx {
	__u32 late;
	__u32 closed;
};

/**
 * struct top_op - the map or the unmap requests of an IOAS
 * @count: requests that succeeded
 * @failed: requests that did not
 * @bytes: bytes mapped or unmapped
 * @max_ns: the longest that succeeded
 * @peak: the longest of the even and the odd intervals, see TOP_PEAK_NS_BITS
 * @hist: durations of those that succeeded, see hist.h
 */
struct top_op {
	__u64 count;
	__u64 failed;
	__u64 bytes;
	__u64 max_ns;
	__u64 peak[2];
	__u32 hist[HIST_BUCKETS];
};

/**
 * struct top_row - an IOAS
 * @tgid: process that created it, or that used it first while we looked
 * @uid: real user id of that process
 * @comm: name of that process
 * @late: it was there before us: sums start at 0 all the same
 * @alive: 1 until it is destroyed; a sum of creations less destructions because
 *	an id can be used again while the old object is still being destroyed
 * @listed: it was found at the start, and neither its creation nor its end seen
 * @pinned: pages that its map requests pinned
 * @unpinned: pages that its unmap requests unpinned
 * @op: requests, by enum top_op_kind
 */
struct top_row {
	__u32 tgid;
	__u32 uid;
	char comm[TOP_COMM_LEN];
	__u32 late;
	__s32 alive;
	__u32 listed;
	__u32 unused;
	__u64 pinned;
	__u64 unpinned;
	struct top_op op[TOP_OPS];
};

#endif
