/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters of iommufd_exporter.bpf.c, for iommufd-exporter. */
#ifndef __IOMMUFD_EXPORTER_H
#define __IOMMUFD_EXPORTER_H

#include <linux/types.h>
#include "operation.h"

/* The last one is also used for reasons that are not known here. */
#define EXPORTER_REASONS 256

/* Up to 1 us, 2 us and so on up to 16 s; the last has all longer durations. */
#define EXPORTER_FIRST_NS 1000
#define EXPORTER_BUCKETS  26

#define EXPORTER_MAX_CONTEXTS 8192
#define EXPORTER_MAX_DEVICES  8192
#define EXPORTER_MAX_FAILURES 8192
#define EXPORTER_MAX_POLICIES 256

#define EXPORTER_NAME_LEN   32
#define EXPORTER_POLICY_LEN 16

/* Object @id of a context, or failures of a context for reason @id. */
struct exporter_key {
	__u32 ctx;
	__u32 id;
};

/**
 * struct exporter_device - a device since the start
 * @faults: page faults that it reported
 * @name: as in /sys/bus/pci/devices, empty if it was bound before the start
 * @group: its IOMMU group, known if the name is
 */
struct exporter_device {
	__u64 faults;
	char name[EXPORTER_NAME_LEN];
	__u32 group;
	__u32 unused;
};

/* Counters of each context. */
enum exporter_total {
	EXPORTER_MAPS,
	EXPORTER_UNMAPS,
	EXPORTER_INVALIDATIONS,
	EXPORTER_TOTALS,
};

struct exporter_totals {
	__u64 count[EXPORTER_TOTALS];
};

/**
 * struct exporter_requests - durations of successful requests
 * @sum_ns: sum of the durations
 * @lock_ns: sum of the time that they waited for locks
 * @count: number in each bucket, not including lower buckets
 */
struct exporter_requests {
	__u64 sum_ns;
	__u64 lock_ns;
	__u64 count[EXPORTER_BUCKETS];
};

/**
 * struct exporter_counts - counters of a CPU since the start
 * @failures: by enum iommufd_reason
 * @page_faults: page faults that devices reported
 */
struct exporter_counts {
	__u64 failures[EXPORTER_REASONS];
	__u64 page_faults;
	struct exporter_requests requests[IOAS_OPS];
};

#endif
