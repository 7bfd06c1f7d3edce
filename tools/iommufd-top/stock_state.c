// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/err.h"
#include "../lib/fmt.h"
#include "../lib/list.h"
#include "../lib/owner.h"
#include "../lib/tool.h"
#include "iommufd_pins.skel.h"
#include "snapshot.h"
#include "stock_state.h"

/**
 * struct stock_state - the open lists
 * @pid: only this process, 0 for all
 * @now: the last listing
 * @first: in it, the first object of the context that is being added
 * @told: members that the kernel lacks have been reported
 */
struct stock_state {
	struct list *list;
	struct iommufd_pins *pins;
	__u32 pid;
	const struct listing *now;
	size_t first;
	bool told;
};

struct stock_state *stock_state_open(__u32 pid)
{
	struct stock_state *state = tool_memory(calloc(1, sizeof(*state)));

	state->pid = pid;
	state->pins = owner_open();
	if (!state->pins)
		tool_refused(errno);
	else
		state->list = list_open(source_stock());
	if (state->list)
		return state;
	stock_state_close(state);
	return NULL;
}

void stock_state_close(struct stock_state *state)
{
	if (!state)
		return;
	list_close(state->list);
	iommufd_pins__destroy(state->pins);
	free(state);
}

static __s64 number(__u64 value)
{
	return value == LIST_UNKNOWN ? ABSENT : (__s64)value;
}

static void add(__s64 *sum, __u64 value)
{
	if (*sum != ABSENT)
		*sum = value == LIST_UNKNOWN ? ABSENT : *sum + (__s64)value;
}

/* A row of an object, without what only events would tell. */
static struct entry *add_row(struct model *model, enum view view,
			     const struct process *of,
			     const struct list_object *object)
{
	struct entry *row = table_add(&model->table[view]);

	row->pid = of->pid;
	row->uid = of->entry.uid;
	memcpy(row->comm, of->entry.comm, sizeof(row->comm));
	row->ctx = object->ctx;
	memset(row->op, 0xff, sizeof(row->op));
	memset(&row->moves, 0xff, sizeof(row->moves));
	row->failed = ABSENT;
	row->all_failed = ABSENT;
	row->faults = ABSENT;
	row->all_faults = ABSENT;
	row->waiting = ABSENT;
	row->pins = ABSENT;
	row->unpins = ABSENT;
	return row;
}

static void add_ioas(struct model *model, struct process *of,
		     const struct list_object *object)
{
	struct entry *row = add_row(model, VIEW_IOAS, of, object);
	struct entry *sums[] = { &of->entry, &model->total };

	row->ioas = object->id;
	row->mapped = number(object->mapped);
	row->pinned = number(object->pinned);
	row->areas = number(object->areas);
	for (size_t i = 0; i < 2; i++) {
		add(&sums[i]->mapped, object->mapped);
		add(&sums[i]->areas, object->areas);
	}
	of->entry.ioases++;
	model->live++;
}

static void set_flags(struct entry *row, __u32 flags)
{
	char *at = row->flags;

	if (flags & LIST_FLAG_NEST_PARENT)
		*at++ = 'n';
	if (flags & LIST_FLAG_FAULTS)
		*at++ = 'f';
	if (flags & LIST_FLAG_COHERENT)
		*at++ = 'c';
}

static void add_table(struct stock_state *state, struct model *model,
		      struct process *of, const struct list_object *object)
{
	struct entry *row = add_row(model, VIEW_HWPT, of, object);

	row->hwpt = object->id;
	row->type = object->type;
	row->parent = object->parent;
	row->automatic = object->flags & LIST_FLAG_AUTOMATIC;
	row->ioas = snapshot_root(state->now, object->ctx, object->id);
	set_flags(row, object->flags);
	for (size_t i = state->first; i < state->now->nr_objects; i++) {
		const struct list_object *other = &state->now->objects[i];

		if (other->ctx != object->ctx)
			break;
		if (other->type == LIST_TYPE_DEVICE &&
		    other->hwpt == object->id)
			row->devices++;
	}
}

static void add_device(struct stock_state *state, struct model *model,
		       struct process *of, const struct list_object *object)
{
	struct entry *row = add_row(model, VIEW_DEVICE, of, object);

	row->device = object->id;
	fmt_name(row->name, sizeof(row->name), object->name);
	row->group = object->group == LIST_NOT_KNOWN ? ABSENT : object->group;
	row->hwpt = object->hwpt == LIST_NOT_KNOWN ? ABSENT : object->hwpt;
	if (row->hwpt > 0)
		row->ioas = snapshot_root(state->now, object->ctx, row->hwpt);
	of->entry.devices++;
}

static struct process *add_context(struct stock_state *state,
				   struct owners *processes,
				   struct model *model,
				   const struct list_ctx *ctx)
{
	int program = bpf_program__fd(state->pins->progs.read_owner);
	struct entry member = { .pid = ctx->tgid };
	struct process *process;
	struct owner owner;

	fmt_name(member.comm, sizeof(member.comm), ctx->comm);
	process = process_of(processes, &member);
	owner_read(program, ctx, &owner);
	process->entry.uid = owner.now.uid;
	owner_set_limit(process, &owner);
	process->entry.contexts++;
	process->shown = true;
	add(&process->entry.pinned, ctx->pinned);
	add(&model->total.pinned, ctx->pinned);
	model->contexts++;
	return process;
}

static void add_object(struct stock_state *state, struct model *model,
		       struct process *of, const struct list_object *object)
{
	switch (object->type) {
	case LIST_TYPE_IOAS:
		add_ioas(model, of, object);
		break;
	case LIST_TYPE_HWPT_PAGING:
	case LIST_TYPE_HWPT_NESTED:
	case LIST_TYPE_VIOMMU:
		add_table(state, model, of, object);
		break;
	case LIST_TYPE_DEVICE:
		add_device(state, model, of, object);
		break;
	}
}

/* Processes without contexts have nothing. */
static void reset(struct owners *processes)
{
	struct process *process = NULL;

	while ((process = hash_next(&processes->processes, process))) {
		struct entry *sum = &process->entry;

		sum->contexts = 0;
		sum->ioases = 0;
		sum->devices = 0;
		sum->mapped = 0;
		sum->pinned = 0;
		sum->areas = 0;
		sum->limit = ABSENT;
		sum->used = ABSENT;
	}
}

/* Reports once what this kernel does not show, unless there is a screen. */
static void tell_missing(struct stock_state *state)
{
	const char *fact;

	for (size_t i = 0;
	     !state->told && (fact = list_missing(state->list, i)); i++)
		err_say("this kernel does not show %s", fact);
	state->told = true;
}

bool stock_state_read(struct stock_state *state, struct owners *processes,
		      struct model *model)
{
	const struct listing *now = list_read(state->list);
	size_t next = 0;

	if (!now)
		return false;
	tell_missing(state);
	state->now = now;
	reset(processes);
	for (size_t i = 0; i < now->nr_contexts; i++) {
		const struct list_ctx *ctx = &now->contexts[i];
		struct process *of = NULL;

		if (!state->pid || state->pid == ctx->tgid)
			of = add_context(state, processes, model, ctx);
		state->first = next;
		for (; next < now->nr_objects &&
		       now->objects[next].ctx == ctx->ctx;
		     next++)
			if (of)
				add_object(state, model, of,
					   &now->objects[next]);
	}
	return true;
}

__u64 stock_state_lost(const struct stock_state *state)
{
	return state->now ? state->now->lost : 0;
}
