// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Models of a stock kernel: system calls tell which processes map and unmap
 * memory, how much and in which sizes, how long it takes, and which requests
 * fail, but not for which IOAS and why. The kernel's structures tell the state
 * of contexts and objects.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../lib/fmt.h"
#include "../lib/hash.h"
#include "../lib/holder.h"
#include "../lib/ioctl.h"
#include "../lib/loop.h"
#include "../lib/names.h"
#include "../lib/slots.h"
#include "../lib/tool.h"
#include "dma.h"
#include "owners.h"
#include "source.h"
#include "stock_state.h"

/* Further failures are not told apart. */
#define MAX_FAILURES 8192

/**
 * struct stock - state between models
 * @state: contexts and objects, NULL if this kernel does not show them
 * @processes: by pid; their numbers are sums since the start
 * @total: sum over all of them
 * @failures: by process, request and errno
 * @failed_ns: time of the last failure of each kind
 * @sizes: by process and size
 * @moved: attaches of devices when the interval began
 * @lost: failures that did not fit
 */
struct stock {
	struct ioctl_watch *watch;
	struct stock_state *state;
	struct owners processes;
	struct requests_sum total[OPS];
	struct table failures;
	__u64 *failed_ns;
	struct table sizes;
	struct hash moved;
	__u64 lost;
	__u64 begin_ns;
	__u64 cpu_ns;
	struct model model;
};

/* Attaches and replaces of a device until the last model. */
struct moved {
	struct hash_link link;
	char name[IOCTL_NAME_LEN];
	struct ioctl_moves moves;
};

static struct stock *s;

static bool stock_open(const struct source_options *options)
{
	struct ioctl_options which = { .pid = options->pid, .by_size = true };

	s = tool_memory(calloc(1, sizeof(*s)));
	owners_init(&s->processes);
	hash_init(&s->moved, IOCTL_NAME_LEN, sizeof(struct moved));
	s->failed_ns = tool_memory(calloc(MAX_FAILURES, sizeof(__u64)));
	if (tool_has_lists()) {
		s->state = stock_state_open(options->pid);
		if (!s->state)
			return false;
	}
	dma_open();
	s->watch = ioctl_open(&which);
	s->begin_ns = loop_clock(CLOCK_MONOTONIC);
	s->cpu_ns = loop_clock(CLOCK_PROCESS_CPUTIME_ID);
	return s->watch;
}

static void stock_close(void)
{
	if (s->watch)
		ioctl_close(s->watch);
	stock_state_close(s->state);
	dma_close();
	owners_free(&s->processes);
	hash_clear(&s->moved);
	table_free(&s->failures);
	table_free(&s->sizes);
	free(s->failed_ns);
	for (int i = 0; i < VIEWS; i++)
		table_free(&s->model.table[i]);
	free(s);
}

static void take(struct requests_sum *sum, const struct ioctl_row *row)
{
	struct requests *op = &sum->op;

	op->count += row->calls;
	op->amount += row->bytes;
	op->all_count += row->calls;
	op->all_amount += row->bytes;
	if (op->max_ns < row->max_ns)
		op->max_ns = row->max_ns;
	if (op->all_max_ns < row->max_ns)
		op->all_max_ns = row->max_ns;
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		sum->hist[i] += row->hist[i];
}

static void take_failed(struct requests_sum *sum, __u64 calls)
{
	sum->op.failed += calls;
	sum->op.all_failed += calls;
}

static void add_failure(const struct ioctl_entry *call,
			const struct entry *process)
{
	struct table *failures = &s->failures;
	struct entry *out = NULL;
	size_t i;

	for (i = 0; i < failures->nr; i++) {
		out = &failures->entries[i];
		if (out->pid == process->pid &&
		    out->last.command == call->key.command &&
		    out->reason == call->key.error)
			break;
	}
	if (i == MAX_FAILURES) {
		s->lost += call->row.calls;
		return;
	}
	if (i == failures->nr) {
		out = table_add(failures);
		out->pid = process->pid;
		out->uid = process->uid;
		memcpy(out->comm, process->comm, sizeof(out->comm));
		out->reason = call->key.error;
		out->last.error = call->key.error;
		out->last.command = call->key.command;
		fmt_name(out->name, sizeof(out->name),
			 names_errno(call->key.error));
	}
	out->failed += call->row.calls;
	out->all_failed += call->row.calls;
	s->failed_ns[i] = loop_clock(CLOCK_MONOTONIC);
}

static void add_size(const struct ioctl_entry *call, enum operation op,
		     const struct entry *process)
{
	__u64 from = slots_first(call->key.size);
	struct table *sizes = &s->sizes;
	struct entry *out = NULL;
	size_t i;

	for (i = 0; i < sizes->nr; i++) {
		out = &sizes->entries[i];
		if (out->pid == process->pid && out->size_min == from)
			break;
	}
	if (i == sizes->nr) {
		out = table_add(sizes);
		out->pid = process->pid;
		out->uid = process->uid;
		memcpy(out->comm, process->comm, sizeof(out->comm));
		out->areas = ABSENT;
		out->size_min = from;
		out->size_max = slots_last(call->key.size);
	}
	out->op[op].count += call->row.calls;
	out->op[op].all_count += call->row.calls;
}

static void add_calls(const struct ioctl_entry *call)
{
	struct entry member = {
		.pid = call->key.tgid,
		.uid = call->row.uid,
	};
	enum operation op = ioctl_operation(call->key.command);
	struct process *process;

	fmt_name(member.comm, sizeof(member.comm), call->row.comm);
	process = process_of(&s->processes, &member);
	process->shown = true;
	s->model.events += call->row.calls;
	if (call->key.error) {
		process->entry.failed += call->row.calls;
		process->entry.all_failed += call->row.calls;
		s->model.total.failed += call->row.calls;
		add_failure(call, &process->entry);
		if (op == OPS)
			return;
		take_failed(&process->op[op], call->row.calls);
		take_failed(&s->total[op], call->row.calls);
	} else if (op != OPS) {
		take(&process->op[op], &call->row);
		take(&s->total[op], &call->row);
		if (op < IOAS_OPS)
			add_size(call, op, &process->entry);
	}
}

/* Keeps only the sums since the start. */
static void forget_interval(struct requests_sum *sum)
{
	for (int i = 0; i < OPS; i++)
		sum[i] = (struct requests_sum){
			.op.all_count = sum[i].op.all_count,
			.op.all_failed = sum[i].op.all_failed,
			.op.all_amount = sum[i].op.all_amount,
			.op.all_max_ns = sum[i].op.all_max_ns,
		};
}

static void begin_model(void)
{
	__u64 now_ns = loop_clock(CLOCK_MONOTONIC);
	__u64 cpu_ns = loop_clock(CLOCK_PROCESS_CPUTIME_ID);
	struct model *model = &s->model, old = s->model;

	*model = (struct model){
		.time_ns = loop_clock(CLOCK_REALTIME),
		.interval_ns = now_ns - s->begin_ns,
		.cpu_ns = cpu_ns - s->cpu_ns,
		.bpf_ns = ABSENT,
		.source = source_stock(),
		.stock = true,
		.state = s->state,
		.total.pins = ABSENT,
		.total.unpins = ABSENT,
		.total.faults = ABSENT,
		.total.all_faults = ABSENT,
		.total.waiting = ABSENT,
		.total.all_failed = old.total.all_failed,
	};
	for (int i = 0; i < VIEWS; i++) {
		model->table[i] = old.table[i];
		model->table[i].nr = 0;
	}
	s->begin_ns = now_ns;
	s->cpu_ns = cpu_ns;
	forget_interval(s->total);
	for (size_t i = 0; i < s->failures.nr; i++)
		s->failures.entries[i].failed = 0;
	for (size_t i = 0; i < s->sizes.nr; i++)
		for (int op = 0; op < IOAS_OPS; op++)
			s->sizes.entries[i].op[op].count = 0;
}

/* Some numbers of a process are in no system call. */
static void forget_unknown(struct entry *sum)
{
	if (!s->state) {
		sum->contexts = 0;
		sum->ioases = ABSENT;
		sum->devices = ABSENT;
		sum->mapped = ABSENT;
		sum->pinned = ABSENT;
		sum->areas = ABSENT;
	}
	sum->waiting = ABSENT;
	sum->faults = ABSENT;
	sum->all_faults = ABSENT;
	sum->pins = ABSENT;
	sum->unpins = ABSENT;
}

static void forget_amounts(struct requests *op)
{
	op[OP_INVALIDATE].amount = ABSENT;
	op[OP_INVALIDATE].all_amount = ABSENT;
	op[OP_DIRTY].amount = ABSENT;
	op[OP_DIRTY].all_amount = ABSENT;
}

/* Adds processes that were active or may still be. */
static void add_processes(void)
{
	struct table *table = &s->model.table[VIEW_PROCESS];
	struct process *process = NULL;

	while ((process = hash_next(&s->processes.processes, process))) {
		struct entry *sum = &process->entry;

		sum->ended = kill(sum->pid, 0) && errno == ESRCH;
		if (process->shown || !sum->ended) {
			forget_unknown(sum);
			for (int op = 0; op < OPS; op++) {
				requests_finish(&process->op[op]);
				sum->op[op] = process->op[op].op;
			}
			forget_amounts(sum->op);
			*table_add(table) = *sum;
			s->model.processes++;
		}
		process->shown = false;
		sum->failed = 0;
		forget_interval(process->op);
	}
}

static void add_failures(void)
{
	__u64 now_ns = loop_clock(CLOCK_MONOTONIC);

	for (size_t i = 0; i < s->failures.nr; i++) {
		struct entry *out = table_add(&s->model.table[VIEW_FAILURE]);

		*out = s->failures.entries[i];
		out->last.age_ns = now_ns - s->failed_ns[i];
	}
}

static void add_moves(struct entry *row)
{
	char name[IOCTL_NAME_LEN] = {};
	struct ioctl_moves now;
	struct moved *moved;

	/* Devices of VFIO type1 are not attached, and others not by VFIO. */
	if (row->hwpt == ABSENT || !holder_is_vfio(row->name))
		return;
	snprintf(name, sizeof(name), "%s", row->name);
	moved = hash_get(&s->moved, name);
	now = ioctl_moves_of(s->watch, name);
	row->moves = (struct moves){
		.count = now.count - moved->moves.count,
		.all_count = now.count,
		.all_failed = now.failed,
		.last_ns = now.last_ns,
		.max_ns = now.max_ns,
	};
	row->failed = now.failed - moved->moves.failed;
	row->all_failed = now.failed;
	moved->moves = now;
}

static const struct model *stock_read(void)
{
	const struct ioctl_report *calls = ioctl_read(s->watch);
	struct model *model = &s->model;

	if (!calls)
		return NULL;
	begin_model();
	if (s->state && !stock_state_read(s->state, &s->processes, model))
		return NULL;
	dma_take(model);
	for (size_t i = 0; i < calls->nr; i++)
		add_calls(&calls->entries[i]);
	for (size_t i = 0; i < model->table[VIEW_DEVICE].nr; i++)
		add_moves(&model->table[VIEW_DEVICE].entries[i]);
	model->total.all_failed += model->total.failed;
	add_processes();
	add_failures();
	for (size_t i = 0; i < s->sizes.nr; i++)
		*table_add(&model->table[VIEW_SIZE]) = s->sizes.entries[i];
	for (int op = 0; op < OPS; op++) {
		requests_finish(&s->total[op]);
		model->total.op[op] = s->total[op].op;
	}
	forget_amounts(model->total.op);
	if (!s->state) {
		model->total.mapped = ABSENT;
		model->total.pinned = ABSENT;
		model->total.areas = ABSENT;
	}
	model->lost = ioctl_lost(s->watch) + s->lost;
	if (s->state)
		model->lost += stock_state_lost(s->state);
	return model;
}

/* No row has to be removed from the kernel's maps during an interval. */
static bool stock_sync(void)
{
	return true;
}

/* Failures are always counted. */
static bool stock_watch_failures(void)
{
	return true;
}

const struct source stock_source = {
	.open = stock_open,
	.sync = stock_sync,
	.read = stock_read,
	.watch_failures = stock_watch_failures,
	.close = stock_close,
};
