/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Known contexts, devices, queues, and faults that wait for a response. */
#ifndef __TABLE_H
#define __TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include "../../bpf/iommufd_faults.h"
#include "../lib/hash.h"
#include "../lib/slots.h"

/**
 * struct ctx - an open file of /dev/iommu
 * @tgid: the process that opened it
 * @closed: no more events will come from it
 */
struct ctx {
	__u32 ctx;
	__u32 tgid;
	bool closed;
	char comm[FAULTS_COMM_LEN];
};

struct device_key {
	__u32 ctx;
	__u32 id;
};

/* A bound device. */
struct device {
	struct hash_link link;
	struct device_key key;
	char name[FAULTS_NAME_LEN];
};

/* How a group of faults ended. */
enum end {
	END_WAITING, /* still waiting */
	END_RETRY, /* the device tries again */
	END_INVALID, /* the access of the device fails */
	END_ABORTED, /* ended without a response */
	END_REFUSED, /* not delivered to user space */
	ENDS,
};

struct group_key {
	__u32 ctx;
	__u32 queue;
	__u32 cookie;
};

/**
 * struct group - a group of faults that gets a single response
 * @report: the report; without a time if it was not seen
 * @since_ns: when the kernel got the group, on the clock of the events, as far
 *	as the events tell; 0 if not known
 * @read: user space has read it
 * @read_ns: how long it waited for that, 0 if not known
 */
struct group {
	struct hash_link link;
	struct group_key key;
	struct faults_record report;
	__u64 since_ns;
	bool read;
	__u64 read_ns;
};

/**
 * struct latency - latencies
 * @slots: in ns, those that are known
 * @hist: the same with a finer resolution
 */
struct latency {
	struct slots slots;
	__u32 hist[HIST_BUCKETS];
};

/**
 * struct queue - a queue of faults, or of vIOMMU events
 * @viommu: 0 for a fault queue
 * @waiting: groups that wait for a response now, whenever they were reported
 * @reported: in this interval, like the following ones
 * @ends: number of groups by enum end
 * @events: vIOMMU events that user space can read
 * @refused: vIOMMU events of a type without a queue
 * @lost: events lost since the queue was created
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

struct table {
	size_t nr_contexts;
	struct ctx *contexts;
	size_t nr_queues;
	struct queue *queues;
	struct hash groups;
	struct hash devices;
};

void table_init(struct table *table);

void table_add_ctx(struct table *table, __u32 ctx, __u32 tgid,
		   const char *comm);
void table_close_ctx(struct table *table, __u32 ctx);
/* NULL if the context is not known. */
const struct ctx *table_ctx(const struct table *table, __u32 ctx);

/* The id may have belonged to another device. */
void table_add_device(struct table *table, __u32 ctx, __u32 id,
		      const char name[FAULTS_NAME_LEN]);
void table_remove_device(struct table *table, __u32 ctx, __u32 id);
/* The name of a device, "" if it is not known. */
const char *table_device(const struct table *table, __u32 ctx, __u32 id);

struct queue *table_queue(struct table *table, __u32 ctx, __u32 viommu,
			  __u32 queue);
/* Starts an interval: resets the totals and forgets what is closed. */
void table_begin(struct table *table);

/* Adds the group if it does not exist. */
struct group *table_group(struct table *table,
			  const struct faults_record *record);
void table_remove_group(struct table *table, struct group *group);

void latency_add(struct latency *latency, __u64 ns);

void table_free(struct table *table);

#endif
