// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Models based on iommufd's events, which iommufd_top.bpf.c counts, and on the
 * lists of contexts and objects.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/loop.h"
#include "../lib/names.h"
#include "../lib/owner.h"
#include "../lib/tool.h"
#include "collector.h"
#include "dma.h"
#include "snapshot.h"

static struct collector *c;

/* Contexts that were closed, by number: their rows are removed. */
struct closed {
	size_t nr;
	__u32 ctx[TOP_MAX_CONTEXTS];
};

static int compare(const void *a, const void *b)
{
	const __u32 *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static bool is_of_closed(const struct closed *closed, __u32 ctx)
{
	return closed->nr &&
	       bsearch(&ctx, closed->ctx, closed->nr, sizeof(ctx), compare);
}

/* Whether the last event of a context has been counted. */
static bool is_closed(const struct mirror_row *row, void *data)
{
	const struct top_ctx *ctx = row->now;
	struct closed *closed = data;

	if (!ctx->closed || closed->nr == TOP_MAX_CONTEXTS)
		return false;
	closed->ctx[closed->nr++] = row->key[0];
	return true;
}

/* Whether a destroyed object has had no events for a whole interval. */
static bool is_over(const struct mirror_row *row, void *closed)
{
	const struct top_life *life = row->now;

	return (life->alive <= 0 && row->quiet) ||
	       is_of_closed(closed, row->key[0]);
}

/* A destroyed IOAS may still be cleared; an event reports the end of that. */
static bool is_ioas_over(const struct mirror_row *row, void *closed)
{
	const struct top_row *now = row->now;

	if (is_of_closed(closed, row->key[0]))
		return true;
	return is_over(row, closed) &&
	       (now->life.late ||
		now->op[OP_MAP].amount == now->op[OP_UNMAP].amount);
}

/* Failures of processes that have ended are removed when space is scarce. */
static bool is_old_failure(const struct mirror_row *row, void *nr)
{
	return *(size_t *)nr > TOP_MAX_ROWS / 2 && row->quiet &&
	       kill(row->key[0], 0) && errno == ESRCH;
}

static bool events_sync(void)
{
	struct closed closed = {};
	int err;

	/*
	 * Read contexts first: one that is closed now has complete rows later.
	 */
	err = mirror_read(&c->contexts);
	if (!err)
		err = mirror_read(&c->rows);
	if (!err)
		err = mirror_read(&c->tables);
	if (!err)
		err = mirror_read(&c->devices);
	if (!err)
		err = mirror_read(&c->failures);
	if (err) {
		err_say("can't read the counters: %s", strerror(-err));
		return false;
	}
	mirror_retire(&c->contexts, is_closed, &closed);
	qsort(closed.ctx, closed.nr, sizeof(*closed.ctx), compare);
	mirror_retire(&c->rows, is_ioas_over, &closed);
	mirror_retire(&c->tables, is_over, &closed);
	mirror_retire(&c->devices, is_over, &closed);
	mirror_retire(&c->failures, is_old_failure, &c->failures.nr);
	return true;
}

static void add_processes(void)
{
	struct process *process = NULL;

	while ((process = hash_next(&c->owners.processes, process))) {
		struct entry *sum = &process->entry;

		if (!process->shown)
			continue;
		for (int op = 0; op < OPS; op++) {
			requests_finish(&process->op[op]);
			sum->op[op] = process->op[op].op;
		}
		sum->ended = !sum->contexts && !sum->ioases;
		*table_add(&c->model.table[VIEW_PROCESS]) = *sum;
		c->model.processes++;
	}
}

static void count_contexts(const struct mirror_row *row, void *unused)
{
	(void)unused;
	c->model.contexts += !row->gone;
}

static void sum_up(void)
{
	struct model *model = &c->model;

	for (int i = 0; i < OPS; i++) {
		struct requests *op = &c->total[i].op;

		requests_finish(&c->total[i]);
		op->all_count += c->past[i].all_count;
		op->all_failed += c->past[i].all_failed;
		op->all_amount += c->past[i].all_amount;
		if (op->all_max_ns < c->past[i].all_max_ns)
			op->all_max_ns = c->past[i].all_max_ns;
		model->total.op[i] = *op;
		model->events += op->count + op->failed;
	}
	model->events += model->total.faults;
	model->total.all_faults += c->gone.all_faults;
}

/* Sets the cost of the programs, and resets the counters. */
static void set_cost(void)
{
	__u64 cpu_ns = loop_clock(CLOCK_PROCESS_CPUTIME_ID), bpf_ns;

	c->model.cpu_ns = cpu_ns - c->cpu_ns;
	c->cpu_ns = cpu_ns;
	c->model.bpf_ns = ABSENT;
	if (c->stats < 0)
		return;
	bpf_ns = tool_run_ns(c->top->obj);
	c->model.bpf_ns = bpf_ns - c->bpf_ns;
	c->bpf_ns = bpf_ns;
}

static void begin_model(__u64 now_ns)
{
	struct model *model = &c->model, old = c->model;

	*model = (struct model){
		.time_ns = loop_clock(CLOCK_REALTIME),
		.interval_ns = now_ns - c->begin_ns,
		.source = SOURCE_OURS,
		.state = true,
		.lost = c->top->bss->lost + tool_misses(c->top->obj) +
			c->listing->lost,
	};
	for (int i = 0; i < VIEWS; i++) {
		model->table[i] = old.table[i];
		model->table[i].nr = 0;
	}
	memset(c->total, 0, sizeof(c->total));
	c->begin_ns = now_ns;
}

static const struct model *events_read(void)
{
	__u64 now_ns = loop_clock(CLOCK_MONOTONIC);

	c->epoch = c->top->bss->epoch++;
	if (!events_sync())
		return NULL;
	c->listing = list_read(c->list);
	if (!c->listing)
		return NULL;
	begin_model(now_ns);
	owners_read(&c->owners, &c->contexts, &c->rows);
	mirror_each(&c->contexts, count_contexts, NULL);
	collect_ioas(c);
	collect_objects(c);
	snapshot_contexts(c);
	collect_failures(c);
	dma_take(&c->model);
	add_processes();
	sum_up();
	set_cost();
	mirror_advance(&c->contexts, NULL, NULL);
	mirror_advance(&c->rows, collect_past_ioas, c);
	mirror_advance(&c->tables, collect_past_table, c);
	mirror_advance(&c->devices, collect_past_device, c);
	mirror_advance(&c->failures, collect_past_failure, c);
	return &c->model;
}

static int load(void)
{
	struct iommufd_top *top = iommufd_top__open_and_load();
	int err;

	c->top = top;
	if (!top)
		return -errno;
	/*
	 * Attach the program for opened contexts last, so that no event of a
	 * context that it sees is missed.
	 */
	bpf_program__set_autoattach(top->progs.ctx_open, false);
	bpf_program__set_autoattach(top->progs.fail, false);
	err = iommufd_top__attach(top);
	if (err)
		return err;
	top->links.ctx_open = bpf_program__attach(top->progs.ctx_open);
	return top->links.ctx_open ? 0 : -errno;
}

/*
 * While the event for failures is enabled, iommufd keeps a record for each
 * request, which adds a sixth to the cost of everything else here. So
 * enable it only on demand.
 */
static bool events_watch_failures(void)
{
	struct iommufd_top *top = c->top;

	if (!top->links.fail && !names_load())
		return false;
	if (!top->links.fail)
		top->links.fail = bpf_program__attach(top->progs.fail);
	if (!top->links.fail)
		tool_refused(errno);
	return top->links.fail;
}

static int begin(void)
{
	int err;

	c->pins = owner_open();
	if (!c->pins)
		return -errno;
	if (c->options.cost) {
		c->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
		if (c->stats < 0)
			return -errno;
	}
	err = load();
	if (err)
		return err;
	mirror_open(&c->contexts, c->top->maps.contexts, NULL);
	mirror_open(&c->rows, c->top->maps.rows, c->top->bss->places);
	mirror_open(&c->failures, c->top->maps.failures, NULL);
	mirror_open(&c->tables, c->top->maps.tables, NULL);
	mirror_open(&c->devices, c->top->maps.devices, NULL);
	err = snapshot_adopt(c);
	c->begin_ns = loop_clock(CLOCK_MONOTONIC);
	c->cpu_ns = loop_clock(CLOCK_PROCESS_CPUTIME_ID);
	return err;
}

static bool events_open(const struct source_options *options)
{
	int err;

	c = tool_memory(calloc(1, sizeof(*c)));
	c->options = *options;
	c->stats = -1;
	owners_init(&c->owners);
	c->list = list_open(SOURCE_OURS);
	if (!c->list)
		return false;
	dma_open();
	err = begin();
	if (err)
		tool_refused(-err);
	return !err;
}

static void events_close(void)
{
	iommufd_top__destroy(c->top);
	iommufd_pins__destroy(c->pins);
	list_close(c->list);
	dma_close();
	if (c->stats >= 0)
		close(c->stats);
	mirror_close(&c->contexts);
	mirror_close(&c->rows);
	mirror_close(&c->tables);
	mirror_close(&c->devices);
	mirror_close(&c->failures);
	owners_free(&c->owners);
	for (int i = 0; i < VIEWS; i++)
		table_free(&c->model.table[i]);
	table_free(&c->old_failures);
	free(c);
}

const struct source events_source = {
	.open = events_open,
	.sync = events_sync,
	.read = events_read,
	.watch_failures = events_watch_failures,
	.close = events_close,
};
