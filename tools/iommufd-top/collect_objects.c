// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Page tables, vIOMMUs and devices. */
#include <string.h>
#include "../lib/fmt.h"
#include "collector.h"
#include "snapshot.h"

static bool wanted(const struct collector *c, const struct entry *entry)
{
	return !c->options.pid || c->options.pid == entry->pid;
}

/* Starts a row with the fields that all objects have. */
static struct entry *begin(struct collector *c, enum view view,
			   const struct mirror_row *row)
{
	const struct top_life *life = row->now;
	struct entry *out = table_add(&c->model.table[view]);

	owner_fill(&c->owners, row->key[0], out);
	out->late = life->late;
	out->ended = row->gone || life->alive <= 0;
	return out;
}

/* Whether to skip a row because its end has been shown. */
static bool left_out(struct collector *c, enum view view,
		     const struct mirror_row *row, const struct entry *out,
		     size_t size)
{
	if (!out->ended || memcmp(row->now, row->base, size))
		return false;
	c->model.table[view].nr--;
	return true;
}

static void set_flags(struct entry *out, const struct top_table *table,
		      __u32 listed)
{
	char *at = out->flags;

	if (listed & LIST_FLAG_NEST_PARENT || table->flags & 1)
		*at++ = 'n';
	if (table->flags & 2)
		*at++ = 'd';
	if (listed & LIST_FLAG_FAULTS || table->flags & 4)
		*at++ = 'f';
	if (table->flags & 8)
		*at++ = 'p';
	if (listed & LIST_FLAG_COHERENT)
		*at++ = 'c';
	*at = '\0';
}

/* Adds the requests of a row, which count even if the row is not shown. */
static void add_requests(struct collector *c, struct entry *out,
			 const struct mirror_row *row, struct process *process)
{
	const struct top_table *now = row->now, *base = row->base;

	for (int i = IOAS_OPS; i < OPS; i++) {
		struct requests_sum op = {};

		requests_take(&op, &now->op[TABLE_OP(i)],
			      &base->op[TABLE_OP(i)], c->epoch);
		requests_finish(&op);
		out->op[i] = op.op;
		out->failed += op.op.failed;
		out->all_failed += op.op.all_failed;
		requests_add(&process->op[i], &op);
		requests_add(&c->total[i], &op);
	}
	owner_add_failed(process, &c->model.total, out);
}

static void add_table(const struct mirror_row *row, void *collector)
{
	struct collector *c = collector;
	const struct top_table *now = row->now;
	const struct list_object *listed = NULL;
	struct process *process;
	struct entry *out;

	out = begin(c, VIEW_HWPT, row);
	if (!wanted(c, out)) {
		c->model.table[VIEW_HWPT].nr--;
		return;
	}
	process = process_of(&c->owners, out);
	add_requests(c, out, row, process);
	if (left_out(c, VIEW_HWPT, row, out, sizeof(*now)))
		return;
	process->shown = true;
	if (!out->ended)
		listed = snapshot_find(c->listing, out->ctx, row->key[1]);
	out->hwpt = row->key[1];
	out->type = listed ? listed->type : now->life.type;
	out->parent = listed ? listed->parent : now->parent;
	out->automatic = now->automatic ||
			 (listed && listed->flags & LIST_FLAG_AUTOMATIC);
	out->ioas = snapshot_root(c->listing, out->ctx, row->key[1]);
	if (!out->ioas && out->type == LIST_TYPE_HWPT_PAGING)
		out->ioas = out->parent;
	set_flags(out, now, listed ? listed->flags : 0);
	if (listed && out->type != LIST_TYPE_VIOMMU)
		out->devices = snapshot_devices(c->listing, listed);
}

/*
 * The page table that a device is attached to, if the list does not tell. All
 * devices of a group are attached to the same one, and a replace moves them all
 * but is reported for one: the last event of the group is decisive.
 */
struct group {
	__u32 ctx;
	__u32 group;
	__u64 moved_ns;
	__u32 hwpt;
};

static void look_at_member(const struct mirror_row *row, void *data)
{
	const struct top_device *device = row->now;
	struct group *group = data;

	if (row->key[0] != group->ctx || device->group != group->group ||
	    device->life.alive <= 0 || device->moved_ns <= group->moved_ns)
		return;
	if (device->hwpt) {
		group->moved_ns = device->moved_ns;
		group->hwpt = device->hwpt;
	}
}

static __s64 table_of(struct collector *c, const struct mirror_row *row,
		      const struct list_object *listed)
{
	const struct top_device *device = row->now;
	struct group group = {
		.ctx = row->key[0],
		.group = device->group,
		.moved_ns = device->moved_ns,
		.hwpt = device->hwpt,
	};

	if (listed && listed->hwpt != LIST_NOT_KNOWN)
		return listed->hwpt;
	if (!device->hwpt)
		/* No event since the start: it may be attached. */
		return device->life.late && !device->moved_ns ? ABSENT : 0;
	/* 0 also means that the device has no group. */
	if (group.group)
		mirror_each(&c->devices, look_at_member, &group);
	return group.hwpt;
}

static void count_device(struct collector *c, struct entry *out,
			 const struct mirror_row *row, struct process *process)
{
	const struct top_device *now = row->now, *base = row->base;
	struct entry *sums[] = { &process->entry, &c->model.total };

	out->failed = now->failed - base->failed;
	out->all_failed = now->failed;
	out->faults = now->faults - base->faults;
	out->all_faults = now->faults;
	for (int i = 0; i < 2; i++) {
		sums[i]->devices += !out->ended;
		sums[i]->faults += out->faults;
		sums[i]->all_faults += out->all_faults;
	}
	owner_add_failed(process, &c->model.total, out);
}

/* The list has the name before any event. */
static void name_device(struct entry *out, const struct top_device *now,
			const struct list_object *listed)
{
	bool by_list = !*now->name && listed && *listed->name;

	fmt_name(out->name, sizeof(out->name),
		 by_list ? listed->name : now->name);
	out->group = ABSENT;
	if (*out->name)
		out->group = by_list ? listed->group : now->group;
}

static void add_device(const struct mirror_row *row, void *collector)
{
	struct collector *c = collector;
	const struct top_device *now = row->now, *base = row->base;
	const struct list_object *listed = NULL;
	struct process *process;
	struct entry *out;

	out = begin(c, VIEW_DEVICE, row);
	if (!wanted(c, out)) {
		c->model.table[VIEW_DEVICE].nr--;
		return;
	}
	process = process_of(&c->owners, out);
	count_device(c, out, row, process);
	if (left_out(c, VIEW_DEVICE, row, out, sizeof(*now)))
		return;
	process->shown = true;
	out->device = row->key[1];
	if (!out->ended)
		listed = snapshot_find(c->listing, out->ctx, row->key[1]);
	name_device(out, now, listed);
	out->hwpt = out->ended ? 0 : table_of(c, row, listed);
	if (out->hwpt > 0)
		out->ioas = snapshot_root(c->listing, out->ctx, out->hwpt);
	out->moves = (struct moves){
		.count = now->moves - base->moves,
		.all_count = now->moves,
		.all_failed = now->failed,
		.last_ns = now->last_ns,
		.max_ns = now->max_ns,
	};
	out->waiting = out->ended || now->waiting < 0 ? 0 : now->waiting;
}

void collect_objects(struct collector *c)
{
	mirror_each(&c->tables, add_table, c);
	mirror_each(&c->devices, add_device, c);
}

void collect_past_table(const struct mirror_row *row, void *collector)
{
	struct collector *c = collector;
	const struct top_table *last = row->now;
	struct entry owner = {};

	owner_fill(&c->owners, row->key[0], &owner);
	if (!wanted(c, &owner))
		return;
	for (int i = IOAS_OPS; i < OPS; i++)
		requests_add_past(&c->past[i], &last->op[TABLE_OP(i)]);
}

void collect_past_device(const struct mirror_row *row, void *collector)
{
	struct collector *c = collector;
	const struct top_device *last = row->now;
	struct entry owner = {};

	owner_fill(&c->owners, row->key[0], &owner);
	if (!wanted(c, &owner))
		return;
	c->gone.all_faults += last->faults;
}
