/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The process of each context, and the totals of each process. */
#ifndef __OWNERS_H
#define __OWNERS_H

#include "../lib/hash.h"
#include "../lib/list.h"
#include "../lib/owner.h"
#include "mirror.h"
#include "requests.h"

/**
 * struct owner_of - the process that a context belongs to: the one that created
 *	its first IOAS, or, until there is one, the one that opened it
 * @ioas: that IOAS, or 0
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
 * struct process - totals of a process
 * @pid: the key
 * @entry: its row
 * @shown: the row is shown
 * @op: its requests, by enum operation
 */
struct process {
	struct hash_link link;
	__u32 pid;
	struct entry entry;
	bool shown;
	struct requests_sum op[OPS];
};

/**
 * struct owners - all owners and processes
 * @late: contexts that existed before the start, by number
 * @of: by context, @nr of them
 * @processes: by pid
 */
struct owners {
	size_t nr_late;
	struct list_ctx *late;
	size_t nr;
	struct owner_of *of;
	struct hash processes;
};

void owners_init(struct owners *owners);
/* Stores the owners of contexts that existed before the start. */
void owners_begin(struct owners *owners, const struct listing *listing);
void owners_free(struct owners *owners);

/* Updates the owners for a model, including those of closed contexts. */
void owners_read(struct owners *owners, struct mirror *contexts,
		 struct mirror *rows);

/* NULL if the context is not known. */
const struct owner_of *owner_find(const struct owners *owners, __u32 ctx);

/*
 * Sets the owner of an object, and whether the object existed before the start.
 */
void owner_fill(const struct owners *owners, __u32 ctx, struct entry *entry);

/* Adds the failed requests of a row to its process, and to a total. */
void owner_add_failed(struct process *process, struct entry *total,
		      const struct entry *member);

/*
 * Sets the limit of the process that opened a context. If it charges several
 * accounts, the fullest one counts.
 */
void owner_set_limit(struct process *process, const struct owner *owner);

/* The process with this pid, added to the model if it is not in it. */
struct process *process_of(struct owners *owners, const struct entry *member);

#endif
