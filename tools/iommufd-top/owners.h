/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who has which context, and what each process has all in all. */
#ifndef __OWNERS_H
#define __OWNERS_H

#include "../lib/list.h"
#include "mirror.h"
#include "op.h"

/**
 * struct owner_of - the process that a context belongs to: the one that created
 *	its first IOAS, or, as long as there is none, that opened it
 * @ioas: that IOAS, 0 if there is none
 * @closed: in this interval
 */
struct owner_of {
	__u32 ctx;
	__u32 pid;
	__u32 uid;
	char comm[TOP_COMM_LEN];
	__u32 ioas;
	bool closed;
};

/**
 * struct process - sums over what a process has
 * @entry: its row
 * @shown: there is something to say of it
 * @op: its requests, by enum op
 */
struct process {
	struct process *next;
	struct entry entry;
	bool shown;
	struct op_sum op[OPS];
};

#define PROCESS_BUCKETS 256

/**
 * struct owners - all of them
 * @late: contexts that were there before us, by number
 * @of: by context, @nr
 * @processes: by pid
 */
struct owners {
	size_t nr_late;
	struct list_ctx *late;
	size_t nr;
	struct owner_of *of;
	struct process *processes[PROCESS_BUCKETS];
};

/* Remembers who opened what was there before us. */
void owners_begin(struct owners *owners, const struct listing *listing);
void owners_free(struct owners *owners);

/* Looks anew, for a report: whose the contexts are, now and in the past interval. */
void owners_read(struct owners *owners, struct mirror *contexts,
		 struct mirror *rows);

/* NULL for a context that is not known. */
const struct owner_of *owner_find(const struct owners *owners, __u32 ctx);

/* Sets who has an object of a context, and whether it was there before us. */
void owner_fill(const struct owners *owners, __u32 ctx, struct entry *entry);

/* Adds the requests of a member that failed to its process, and to a total. */
void owner_add_failed(struct process *process, struct entry *total,
		      const struct entry *member);

/* The process of that number, made if there is none in this report yet. */
struct process *process_of(struct owners *owners, const struct entry *member);

#endif
