// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* IOAS, and the sizes of their mappings. */
#include <string.h>
#include "../lib/fmt.h"
#include "../lib/slots.h"
#include "collector.h"
#include "snapshot.h"

/*
 * The number of mappings of a size. It is known while the creation of all of
 * them was seen, and each unmap was of one mapping.
 */
static __s64 areas_of(const struct top_row *now, unsigned int slot, bool ended)
{
	if (ended)
		return 0;
	if (now->life.late || now->mixed)
		return ABSENT;
	return (__s64)now->size[OP_MAP][slot] - now->size[OP_UNMAP][slot];
}

static void add_sizes(struct table *table, const struct entry *ioas,
		      const struct top_row *now, const struct top_row *base)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		struct entry *out;

		if (!now->size[OP_MAP][slot] && !now->size[OP_UNMAP][slot])
			continue;
		out = table_add(table);
		out->pid = ioas->pid;
		out->uid = ioas->uid;
		memcpy(out->comm, ioas->comm, sizeof(out->comm));
		out->ctx = ioas->ctx;
		out->ioas = ioas->ioas;
		out->late = ioas->late;
		out->ended = ioas->ended;
		out->size_min = slots_first(slot);
		out->size_max = slots_last(slot);
		out->areas = areas_of(now, slot, ioas->ended);
		for (int i = 0; i < IOAS_OPS; i++) {
			out->op[i].all_count = now->size[i][slot];
			out->op[i].count =
				now->size[i][slot] - base->size[i][slot];
		}
	}
}

static struct process *add_to_process(struct collector *c,
				      const struct entry *ioas,
				      const struct requests_sum *op)
{
	struct process *process = process_of(&c->owners, ioas);
	struct entry *sum = &process->entry;

	sum->mapped += ioas->mapped;
	sum->ioases += !ioas->ended;
	sum->areas += ioas->areas;
	sum->pins += ioas->pins;
	sum->unpins += ioas->unpins;
	for (int i = 0; i < IOAS_OPS; i++)
		requests_add(&process->op[i], &op[i]);
	return process;
}

static void add_to_total(struct collector *c, const struct entry *ioas,
			 const struct requests_sum *op)
{
	struct entry *total = &c->model.total;

	total->mapped += ioas->mapped;
	total->areas += ioas->areas;
	total->pins += ioas->pins;
	total->unpins += ioas->unpins;
	for (int i = 0; i < IOAS_OPS; i++)
		requests_add(&c->total[i], &op[i]);
}

static void add_ioas(const struct mirror_row *row, void *collector)
{
	struct collector *c = collector;
	const struct top_row *now = row->now, *base = row->base;
	struct requests_sum op[IOAS_OPS] = {};
	struct process *process;
	struct entry *out;

	if (c->options.pid && c->options.pid != now->tgid)
		return;
	out = table_add(&c->model.table[VIEW_IOAS]);
	out->ctx = row->key[0];
	out->ioas = row->key[1];
	out->pid = now->tgid;
	out->uid = now->uid;
	fmt_name(out->comm, sizeof(out->comm), now->comm);
	out->pins = now->pinned - base->pinned;
	out->unpins = now->unpinned - base->unpinned;
	out->late = now->life.late;
	out->ended = row->gone || now->life.alive <= 0;
	snapshot_gauges(out, c->listing);
	for (int i = 0; i < IOAS_OPS; i++) {
		requests_take(&op[i], &now->op[i], &base->op[i], c->epoch);
		requests_finish(&op[i]);
		out->op[i] = op[i].op;
		out->failed += op[i].op.failed;
		out->all_failed += op[i].op.all_failed;
	}
	add_to_total(c, out, op);
	process = add_to_process(c, out, op);
	owner_add_failed(process, &c->model.total, out);
	if (!out->ended) {
		c->model.live++;
	} else if (memcmp(now, base, sizeof(*now))) {
		c->model.ended++;
	} else {
		/* The end of an object is shown once. */
		c->model.table[VIEW_IOAS].nr--;
		return;
	}
	process->shown = true;
	add_sizes(&c->model.table[VIEW_SIZE], out, now, base);
}

void collect_ioas(struct collector *c)
{
	mirror_each(&c->rows, add_ioas, c);
}

void collect_past_ioas(const struct mirror_row *row, void *collector)
{
	struct collector *c = collector;
	const struct top_row *last = row->now;

	if (c->options.pid && c->options.pid != last->tgid)
		return;
	for (int i = 0; i < IOAS_OPS; i++)
		requests_add_past(&c->past[i], &last->op[i]);
}
