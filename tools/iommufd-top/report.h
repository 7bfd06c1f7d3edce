/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What iommufd-top shows: plain numbers, made by collect.c from the counters in
 * the kernel, read by everything that prints.
 */
#ifndef __REPORT_H
#define __REPORT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "../../bpf/iommufd_top.h"

/**
 * struct op_report - the map or the unmap requests of an IOAS
 * @count: succeeded in this interval
 * @failed: failed in this interval
 * @bytes: bytes mapped or unmapped in this interval
 * @timed: of @count, those whose duration is known
 * @p50_ns: half of them took no longer
 * @p99_ns: 99% of them took no longer
 * @max_ns: none took longer
 * @all_count: succeeded since iommufd-top started, and so on
 */
struct op_report {
	__u64 count;
	__u64 failed;
	__u64 bytes;
	__u64 timed;
	__u64 p50_ns;
	__u64 p99_ns;
	__u64 max_ns;
	__u64 all_count;
	__u64 all_failed;
	__u64 all_bytes;
	__u64 all_max_ns;
};

/**
 * struct row_report - an IOAS
 * @ctx: number of its context
 * @ioas: its id there
 * @pid: process that uses it
 * @uid: user id of that process
 * @comm: name of that process, printable
 * @late: existed before iommufd-top started, which began to count at 0
 * @ended: destroyed; shown once more, in the interval in which it was
 * @mapped: bytes mapped now
 * @pinned: pages that it keeps pinned now
 * @pins: pages pinned by its map requests in this interval
 * @unpins: pages unpinned by its unmap requests in this interval
 * @op: requests, by enum top_op_kind
 */
struct row_report {
	__u32 ctx;
	__u32 ioas;
	__u32 pid;
	__u32 uid;
	char comm[TOP_COMM_LEN];
	bool late;
	bool ended;
	__u64 mapped;
	__u64 pinned;
	__u64 pins;
	__u64 unpins;
	struct op_report op[TOP_OPS];
};

/**
 * struct report - one refresh
 * @time_ns: when, since 1970
 * @interval_ns: length of the interval that it tells of
 * @lost: events since iommufd-top started that are in no number here
 * @contexts: open files of /dev/iommu that have been used
 * @processes: processes with an IOAS
 * @live: IOAS that exist
 * @ended: IOAS that ended in this interval
 * @total: the sum of all rows, and of rows of the past where it is a sum over
 *	the whole time; its identity is not set
 * @rows: @nr of them
 */
struct report {
	__u64 time_ns;
	__u64 interval_ns;
	__u64 lost;
	__u32 contexts;
	__u32 processes;
	__u32 live;
	__u32 ended;
	struct row_report total;
	struct row_report *rows;
	size_t nr;
};

#endif
