/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Data of iommufd_top.bpf.c, for iommufd-top. Counters only increase, so that a
 * reader gets the work of an interval as a difference and needs no lock; the
 * current amounts of mapped and pinned memory come from the iterators.
 */
#ifndef __IOMMUFD_TOP_H
#define __IOMMUFD_TOP_H

#include "hist.h"
#include "operation.h"
#include "slots.h"

#define TOP_COMM_LEN	 16
#define TOP_NAME_LEN	 32
#define TOP_MAX_CONTEXTS 8192
#define TOP_MAX_ROWS	 8192
/* A power of two; see iommufd_top_place.h. */
#define TOP_PLACES 32

/*
 * The longest request of an interval: the number of the interval and the
 * nanoseconds packed into one word, so that one compare-and-exchange sets both.
 */
#define TOP_PEAK_NS_BITS    40
#define TOP_PEAK_NS_MAX	    ((1ULL << TOP_PEAK_NS_BITS) - 1)
#define TOP_PEAK_EPOCH_MASK ((1ULL << (64 - TOP_PEAK_NS_BITS)) - 1)

/* Object @id of context @ctx. */
struct top_key {
	__u32 ctx;
	__u32 id;
};

/**
 * struct top_ctx - a file of /dev/iommu
 * @late: it was open before the start
 * @closed: no more events come from it; the reader then removes its rows
 * @tgid: process that opened it, 0 if that was before the start
 * @uid: real user id of that process
 * @comm: name of that process
 */
struct top_ctx {
	__u32 late;
	__u32 closed;
	__u32 tgid;
	__u32 uid;
	char comm[TOP_COMM_LEN];
};

/**
 * struct top_op - requests of one kind
 * @count: successful requests
 * @failed: failed requests
 * @amount: bytes mapped, unmapped or found dirty, entries invalidated
 * @max_ns: duration of the longest successful request
 * @peak: the longest of the even and the odd intervals, see TOP_PEAK_NS_BITS
 * @hist: durations of successful requests, see hist.h
 */
struct top_op {
	__u64 count;
	__u64 failed;
	__u64 amount;
	__u64 max_ns;
	__u64 peak[2];
	__u32 hist[HIST_BUCKETS];
};

/**
 * struct top_life - whether an object exists
 * @late: it existed before the start; counters start at 0 all the same
 * @alive: 1 until it is destroyed; the number of creations minus destructions,
 *	because an id can be reused while the old object is being destroyed
 * @listed: it was found at the start, and neither its creation nor its end was
 *	seen
 * @type: enum iommufd_object_type, 0 if not known
 */
struct top_life {
	__u32 late;
	__s32 alive;
	__u32 listed;
	__u32 type;
};

/**
 * struct top_row - an IOAS
 * @tgid: process that created it, or that used it first since the start
 * @uid: real user id of that process
 * @comm: name of that process
 * @pinned: pages that its map requests pinned
 * @unpinned: pages that its unmap requests unpinned
 * @op: requests, by enum operation
 * @size: successful requests, by slot_of() their bytes
 * @mixed: requests that may have been about several mappings at a time, whose
 *	sizes are not known
 */
struct top_row {
	struct top_life life;
	__u32 tgid;
	__u32 uid;
	char comm[TOP_COMM_LEN];
	__u64 pinned;
	__u64 unpinned;
	struct top_op op[IOAS_OPS];
	__u32 size[IOAS_OPS][SLOTS];
	__u64 mixed;
};

/**
 * struct top_place - where the row of an IOAS is found without a search
 * @key: top_place_key() of the IOAS, 0 while the place is free
 * @row: the row, all zero while the place is free
 */
struct top_place {
	__u64 key;
	struct top_row row;
};

static inline __u64 top_place_key(__u32 ctx, __u32 ioas)
{
	return (__u64)ctx << 32 | ioas;
}

/* The only place in which an IOAS may have its row. */
static inline __u32 top_place_index(__u32 ctx, __u32 ioas)
{
	return (ctx + ioas) % TOP_PLACES;
}

/**
 * struct top_table - a page table, or a vIOMMU
 * @parent: IOAS, second-stage page table or vIOMMU that it is on
 * @automatic: created by an attach
 * @flags: enum iommufd_hwpt_alloc_flags, if its allocation was seen
 * @op: requests, by TABLE_OP() of enum operation
 */
struct top_table {
	struct top_life life;
	__u32 parent;
	__u32 automatic;
	__u32 flags;
	__u32 unused;
	struct top_op op[TABLE_OPS];
};

/**
 * struct top_device - a device that is bound to a context
 * @name: as in /sys/bus/pci/devices, empty if neither the list at the start nor
 *	an event has had it yet
 * @group: its IOMMU group, known as soon as the name is
 * @attached: number of page tables that it is attached to, counting PASIDs
 * @hwpt: page table that it was last attached to, not counting PASIDs
 * @moved_ns: when that was, ktime
 * @moves: number of attaches and replaces
 * @failed: number of failed ones
 * @last_ns: duration of the last successful one
 * @max_ns: duration of the longest of these
 * @faults: page faults that it reported
 * @waiting: groups of page faults that wait for a response
 */
struct top_device {
	struct top_life life;
	char name[TOP_NAME_LEN];
	__u32 group;
	__s32 attached;
	__u32 hwpt;
	__u32 unused;
	__u64 moved_ns;
	__u64 moves;
	__u64 failed;
	__u64 last_ns;
	__u64 max_ns;
	__u64 faults;
	__s64 waiting;
};

/* Requests of a process that failed for the same reason. */
struct top_fail_key {
	__u32 tgid;
	__u32 reason;
};

/**
 * struct top_fail - the last of these failures
 * @when_ns: time of the failure, ktime
 * @command, @ret, @first, @second, @policy: as in iommufd_fail
 */
struct top_fail {
	__u64 when_ns;
	__u64 first;
	__u64 second;
	__u32 ctx;
	__u32 uid;
	__u32 command;
	__s32 ret;
	char comm[TOP_COMM_LEN];
	char policy[TOP_COMM_LEN];
};

#endif
