/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The data that iommufd-top shows: plain numbers that a source (source.h)
 * computes from the counters in the kernel, and that all output is based on.
 */
#ifndef __MODEL_H
#define __MODEL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "../../bpf/iommufd_top.h"
#include "../lib/source.h"

/* Replaces an unknown number. */
#define ABSENT (-1LL)

/**
 * struct requests - requests of one kind
 * @count: succeeded in this interval
 * @failed: failed in this interval
 * @amount: bytes or entries that they handled, in this interval
 * @timed: how many of @count have a known duration
 * @p50_ns: 50% of them took at most this long
 * @p99_ns: 99% of them took at most this long
 * @max_ns: duration of the longest one
 * @all_count: succeeded since iommufd-top started, and so on
 */
struct requests {
	__u64 count;
	__u64 failed;
	__u64 amount;
	__u64 timed;
	__u64 p50_ns;
	__u64 p99_ns;
	__u64 max_ns;
	__u64 all_count;
	__u64 all_failed;
	__u64 all_amount;
	__u64 all_max_ns;
};

/* A table of the model. */
enum view {
	VIEW_PROCESS,
	VIEW_IOAS,
	VIEW_HWPT,
	VIEW_DEVICE,
	VIEW_FAILURE,
	VIEW_SIZE,
	VIEWS,
};

/**
 * struct moves - of a device: attach and replace requests that succeeded
 * @count: in this interval
 * @all_count: since iommufd-top started
 * @all_failed: those that failed
 * @last_ns: how long the last one took
 * @max_ns: how long the longest took
 */
struct moves {
	__u64 count;
	__u64 all_count;
	__u64 all_failed;
	__u64 last_ns;
	__u64 max_ns;
};

/**
 * struct last_failure - the last of some failures
 * @command: number of the request, 0x3b85 for IOMMU_IOAS_MAP
 * @error: errno
 * @first: a number that depends on the reason; a second one follows
 * @policy: name of the BPF policy that refused the request, or empty
 * @age_ns: time since the failure
 */
struct last_failure {
	__u32 command;
	__u32 error;
	__u64 first;
	__u64 second;
	char policy[TOP_COMM_LEN];
	__u64 age_ns;
};

/**
 * struct entry - a row of a table of any view; members that the view has no
 *	column for are 0
 * @pid: process that uses it
 * @uid: user id of that process
 * @comm: name of that process, printable
 * @ctx: number of its context
 * @ioas: the IOAS, or the one below a page table or device; 0 for none
 * @hwpt: the page table or vIOMMU, or the page table of a device; 0 if it is
 *	not attached, ABSENT if that is not known
 * @device: id of the device
 * @group: its IOMMU group
 * @name: of the device, or of the reason of failures; empty if not known
 * @late: existed before iommufd-top started, so its counters started at 0
 * @ended: destroyed in this interval, and shown for the last time
 * @type: of a page table: enum iommufd_object_type
 * @automatic: of a page table: created by an attach
 * @parent: of a page table: the object below it, 0 if not known
 * @flags: of a page table: a letter each, see the manual page
 * @contexts: open files of the process
 * @ioases: IOAS of the process
 * @devices: devices of the process, or on the page table
 * @mapped: bytes mapped now
 * @pinned: pages pinned now
 * @limit: pages that the process may have pinned, ABSENT for no limit
 * @used: pages that count towards @limit: those of its user or of the process,
 *	whichever the kernel charges; ABSENT without a limit
 * @areas: current mappings, of an IOAS or of a size
 * @pins: pages pinned by map requests in this interval
 * @unpins: pages unpinned by unmap requests in this interval
 * @op: requests, by enum operation
 * @failed: requests that failed in this interval; for a process, those on its
 *	objects
 * @all_failed: since iommufd-top started
 * @faults: page faults that the device reported in this interval
 * @all_faults: since iommufd-top started
 * @refused: DMA of the device that the IOMMU refused in this interval, ABSENT if
 *	that is not known
 * @all_refused: since iommufd-top started
 * @waiting: groups of page faults that wait for a response
 * @reason: of failures: enum iommufd_reason, or an errno on a stock kernel
 * @last: the last of these failures
 * @size_min: of a row of mappings by size: the smallest and the largest
 * @share: their number, in thousandths of that of the most frequent size
 */
struct entry {
	__u32 pid;
	__u32 uid;
	char comm[TOP_COMM_LEN];
	__u32 ctx;
	__u32 ioas;
	__s64 hwpt;
	__u32 device;
	__s64 group;
	char name[TOP_NAME_LEN];
	bool late;
	bool ended;
	__u32 type;
	bool automatic;
	__u32 parent;
	char flags[8];
	__u32 contexts;
	__s64 ioases;
	__s64 devices;
	__s64 mapped;
	__s64 pinned;
	__s64 limit;
	__s64 used;
	__s64 areas;
	__u64 pins;
	__u64 unpins;
	struct requests op[OPS];
	__u64 failed;
	__u64 all_failed;
	struct moves moves;
	__u64 faults;
	__u64 all_faults;
	__s64 refused;
	__s64 all_refused;
	__s64 waiting;
	struct last_failure last;
	__u32 reason;
	__u64 size_min;
	__u64 size_max;
	unsigned int share;
};

struct table {
	struct entry *entries;
	size_t nr;
	size_t room;
};

/**
 * struct model - one refresh
 * @time_ns: time of the model, since 1970
 * @interval_ns: length of its interval
 * @lost: events since iommufd-top started that are not counted here
 * @events: requests and faults in the interval
 * @cpu_ns: CPU time of iommufd-top in the interval
 * @bpf_ns: CPU time of its BPF programs in the interval, ABSENT if not measured
 * @source: what serves the numbers
 * @stock: on a stock kernel: requests are those of system calls, which don't
 *	tell their IOAS
 * @state: the rows of IOAS, page tables and devices are known
 * @contexts: open files of /dev/iommu that have been used
 * @processes: processes that use them
 * @live: IOAS that exist
 * @ended: IOAS that ended in this interval
 * @total: the sum of all IOAS and page tables, with destroyed ones in sums
 *	since the start; its identity is not set
 * @table: by view; failures are by process and reason
 */
struct model {
	__u64 time_ns;
	__u64 interval_ns;
	__u64 lost;
	__u64 events;
	__u64 cpu_ns;
	__s64 bpf_ns;
	enum source_kind source;
	bool stock;
	bool state;
	__u32 contexts;
	__u32 processes;
	__u32 live;
	__u32 ended;
	struct entry total;
	struct table table[VIEWS];
};

/* Adds an entry, zeroed; the pointer is valid until the next call. */
struct entry *table_add(struct table *table);
void table_free(struct table *table);

#endif
