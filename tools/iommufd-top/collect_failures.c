// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Failures, by process and reason. */
#include <bpf/bpf.h>
#include <stdio.h>
#include <time.h>
#include "../lib/fmt.h"
#include "../lib/loop.h"
#include "../lib/names.h"
#include "collector.h"

static void set_last(struct entry *out, const struct top_fail *last)
{
	__u64 now = loop_clock(CLOCK_MONOTONIC);

	out->uid = last->uid;
	out->ctx = last->ctx;
	fmt_name(out->comm, sizeof(out->comm), last->comm);
	out->last = (struct last_failure){
		.command = last->command,
		.error = -last->ret,
		.first = last->first,
		.second = last->second,
		.age_ns = now > last->when_ns ? now - last->when_ns : 0,
	};
	fmt_name(out->last.policy, sizeof(out->last.policy), last->policy);
}

static int map_of_last(const struct collector *c)
{
	return bpf_map__fd(c->top->maps.last_failures);
}

static void fill(struct collector *c, struct entry *out,
		 const struct mirror_row *row)
{
	const __u64 *now = row->now, *base = row->base;
	const char *name = names_reason(row->key[1]);
	struct top_fail last;

	out->pid = row->key[0];
	out->reason = row->key[1];
	if (name)
		fmt_name(out->name, sizeof(out->name), name);
	else
		snprintf(out->name, sizeof(out->name), "%u", out->reason);
	if (!bpf_map_lookup_elem(map_of_last(c), row->key, &last))
		set_last(out, &last);
	out->failed = *now - *base;
	out->all_failed = *now;
}

static void add_failure(const struct mirror_row *row, void *collector)
{
	struct collector *c = collector;

	if (!c->options.pid || c->options.pid == row->key[0])
		fill(c, table_add(&c->model.table[VIEW_FAILURE]), row);
}

void collect_past_failure(const struct mirror_row *row, void *collector)
{
	struct collector *c = collector;
	struct table *old = &c->old_failures;
	struct entry last = {}, *of = NULL;

	fill(c, &last, row);
	bpf_map_delete_elem(map_of_last(c), row->key);
	for (size_t i = 0; i < old->nr && !of; i++)
		if (old->entries[i].reason == last.reason)
			of = &old->entries[i];
	if (!of)
		of = table_add(old);
	last.all_failed += of->all_failed;
	last.failed = 0;
	*of = last;
}

/*
 * Until failures are watched, only those of requests on an object are known.
 * From then on, all are: the sums must agree with the table of failures.
 */
static void sum_up(struct collector *c, const struct table *failures)
{
	struct process *process = NULL;

	while ((process = hash_next(&c->owners.processes, process)))
		process->entry.failed = 0;
	c->model.total.failed = 0;
	for (size_t i = 0; i < failures->nr; i++) {
		const struct entry *failure = &failures->entries[i];

		process = hash_find(&c->owners.processes, &failure->pid);
		if (process)
			process->entry.failed += failure->failed;
		c->model.total.failed += failure->failed;
	}
}

void collect_failures(struct collector *c)
{
	struct table *failures = &c->model.table[VIEW_FAILURE];

	mirror_each(&c->failures, add_failure, c);
	if (c->top->links.fail)
		sum_up(c, failures);
	c->failed += c->model.total.failed;
	c->model.total.all_failed = c->failed;
	if (c->options.pid)
		return;
	for (size_t i = 0; i < c->old_failures.nr; i++)
		*table_add(failures) = c->old_failures.entries[i];
}
