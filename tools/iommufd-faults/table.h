/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of contexts, of queues and of faults that wait for an answer. */
#ifndef __TABLE_H
#define __TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include "../../bpf/iommufd_faults.h"
#include "../lib/slots.h"

/**
 * struct ctx - an open file of /dev/iommu
 * @tgid: who opened it
 * @closed: no more events come from it
 */
struct ctx {
	__u32 ctx;
	__u32 tgid;
	bool closed;
	char comm[FAULTS_COMM_LEN];
};

/* What became of a group of faults. */
enum end {
	END_WAITING, /* nothing yet */
	END_RETRY, /* the device tries again */
	END_INVALID, /* the device's access ends */
	END_ABORTED, /* nobody answered */
	END_REFUSED, /* user space did not get it */
	ENDS,
};

/**
 * struct group - a group of faults that is answered as one
 * @report: how it was reported; without a time if we did not see that
 * @read: it was read
 * @read_ns: how long it waited for that, 0 if nobody knows
 */
struct group {
	struct group *next;
	struct faults_record report;
	bool read;
	__u64 read_ns;
};

/**
 * struct latency - how long something took
 * @slots: in ns, those that are known
 * @hist: the same, finer
 */
struct latency {
	struct slots slots;
	__u32 hist[HIST_BUCKETS];
};

/**
 * struct queue - a queue of faults, or of vIOMMU events
 * @viommu: 0 for one of faults
 * @waiting: groups without an answer now, whenever they were reported
 * @reported: in this interval, like the following ones
 * @ends: groups by enum end
 * @events: of a vIOMMU that user space gets
 * @refused: of a vIOMMU without a queue for them
 * @lost: since the queue was made
 */
struct queue {
	__u32 ctx;
	__u32 queue;
	__u32 viommu;
	__u64 waiting;
	__u64 reported;
	__u64 read;
	__u64 ends[ENDS];
	__u64 events;
	__u64 refused;
	__u64 lost;
	struct latency to_read;
	struct latency to_answer;
};

#define TABLE_BUCKETS 4096

struct table {
	size_t nr_contexts;
	struct ctx *contexts;
	size_t nr_queues;
	struct queue *queues;
	struct group *groups[TABLE_BUCKETS];
};

void table_add_ctx(struct table *table, __u32 ctx, __u32 tgid,
		   const char *comm);
void table_close_ctx(struct table *table, __u32 ctx);
/* NULL if it is not known. */
const struct ctx *table_ctx(const struct table *table, __u32 ctx);

struct queue *table_queue(struct table *table, __u32 ctx, __u32 viommu,
			  __u32 queue);
/* Begins an interval: forgets what is closed, and all sums. */
void table_begin(struct table *table);

/* Made if there is none. */
struct group *table_group(struct table *table,
			  const struct faults_record *record);
void table_remove_group(struct table *table, struct group *group);

void latency_add(struct latency *latency, __u64 ns);

void table_free(struct table *table);

#endif
