// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "../lib/fmt.h"
#include "../lib/tool.h"
#include "owners.h"

void owners_init(struct owners *owners)
{
	hash_init(&owners->processes, sizeof(__u32), sizeof(struct process));
}

void owners_begin(struct owners *owners, const struct listing *listing)
{
	size_t size = listing->nr_contexts * sizeof(*owners->late);

	owners->nr_late = listing->nr_contexts;
	owners->late = tool_memory(malloc(size + 1));
	if (size)
		memcpy(owners->late, listing->contexts, size);
}

void owners_free(struct owners *owners)
{
	hash_clear(&owners->processes);
	free(owners->late);
	free(owners->of);
}

static int compare(const void *a, const void *b)
{
	const struct owner_of *left = a, *right = b;

	return (left->ctx > right->ctx) - (left->ctx < right->ctx);
}

static int compare_late(const void *a, const void *b)
{
	const struct list_ctx *left = a, *right = b;

	return (left->ctx > right->ctx) - (left->ctx < right->ctx);
}

static struct owner_of *find(const struct owners *owners, __u32 ctx)
{
	struct owner_of key = { .ctx = ctx };

	if (!owners->nr)
		return NULL;
	return bsearch(&key, owners->of, owners->nr, sizeof(key), compare);
}

const struct owner_of *owner_find(const struct owners *owners, __u32 ctx)
{
	return find(owners, ctx);
}

static void add_context(const struct mirror_row *row, void *data)
{
	struct owners *owners = data;
	struct owner_of *of = &owners->of[owners->nr++];
	const struct top_ctx *ctx = row->now;
	struct list_ctx key = { .ctx = row->key[0] }, *late = NULL;

	*of = (struct owner_of){
		.ctx = row->key[0],
		.pid = ctx->tgid,
		.uid = ctx->uid,
		.closed = row->gone,
	};
	fmt_name(of->comm, sizeof(of->comm), ctx->comm);
	if (!of->pid && owners->nr_late)
		late = bsearch(&key, owners->late, owners->nr_late, sizeof(key),
			       compare_late);
	if (late) {
		of->pid = late->tgid;
		of->uid = late->uid;
		fmt_name(of->comm, sizeof(of->comm), late->comm);
	}
}

static void add_row(const struct mirror_row *row, void *data)
{
	struct owner_of *of = find(data, row->key[0]);
	const struct top_row *ioas = row->now;

	if (!of || (of->ioas && of->ioas < row->key[1]))
		return;
	of->ioas = row->key[1];
	of->pid = ioas->tgid;
	of->uid = ioas->uid;
	fmt_name(of->comm, sizeof(of->comm), ioas->comm);
}

void owners_read(struct owners *owners, struct mirror *contexts,
		 struct mirror *rows)
{
	hash_clear(&owners->processes);
	owners->nr = 0;
	owners->of = tool_memory(reallocarray(owners->of, contexts->nr + 1,
					      sizeof(*owners->of)));
	mirror_each(contexts, add_context, owners);
	qsort(owners->of, owners->nr, sizeof(*owners->of), compare);
	mirror_each(rows, add_row, owners);
}

void owner_fill(const struct owners *owners, __u32 ctx, struct entry *entry)
{
	const struct owner_of *of = find(owners, ctx);

	entry->ctx = ctx;
	if (!of)
		return;
	entry->pid = of->pid;
	entry->uid = of->uid;
	memcpy(entry->comm, of->comm, sizeof(entry->comm));
}

void owner_add_failed(struct process *process, struct entry *total,
		      const struct entry *member)
{
	process->entry.failed += member->failed;
	process->entry.all_failed += member->all_failed;
	total->failed += member->failed;
}

void owner_set_limit(struct process *process, const struct owner *owner)
{
	__u64 limit = owner_limit(owner), used = owner_used(owner);
	struct entry *sum = &process->entry;

	if (limit == ~0ULL)
		return;
	sum->limit = limit;
	if (sum->used < (__s64)used)
		sum->used = used;
}

struct process *process_of(struct owners *owners, const struct entry *member)
{
	struct process *process = hash_find(&owners->processes, &member->pid);

	if (process)
		return process;
	process = hash_get(&owners->processes, &member->pid);
	process->entry.pid = member->pid;
	process->entry.uid = member->uid;
	memcpy(process->entry.comm, member->comm, sizeof(member->comm));
	process->entry.limit = ABSENT;
	process->entry.used = ABSENT;
	return process;
}
