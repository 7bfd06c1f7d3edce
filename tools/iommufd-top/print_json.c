// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One object on one line for each refresh. Numbers are exact integers in the
 * units that their names say, or null if not known. The manual page lists all
 * names; they are stable, and new ones may be added.
 */
#include "../lib/identity.h"
#include "../lib/json.h"
#include "../lib/names.h"
#include "../lib/operation.h"
#include "print.h"
#include "cells.h"

/* A number that may be ABSENT, or not known on a stock kernel. */
static void add_number(struct json_object *to, const char *name, __s64 value)
{
	if (value == ABSENT)
		json_add(to, name, NULL);
	else
		json_add_s64(to, name, value);
}

static void add_op(struct json_object *to, const struct entry *row,
		   enum operation which)
{
	const struct operation_names *names = &operation_names[which];
	struct json_object *out = json_object_new_object();
	const struct requests *op = &row->op[which];

	add_number(out, "count", op->count);
	add_number(out, "failed", op->failed);
	add_number(out, names->amount, op->amount);
	add_number(out, "timed", op->timed);
	add_number(out, "p50_ns", op->p50_ns);
	add_number(out, "p99_ns", op->p99_ns);
	add_number(out, "max_ns", op->max_ns);
	add_number(out, "all_count", op->all_count);
	add_number(out, "all_failed", op->all_failed);
	add_number(out, names->all_amount, op->all_amount);
	add_number(out, "all_max_ns", op->all_max_ns);
	json_add(to, names->name, out);
}

static void add_failures(struct json_object *to, const struct entry *row)
{
	add_number(to, "failed", row->failed);
	add_number(to, "all_failed", row->all_failed);
}

static void add_faults(struct json_object *to, const struct entry *row)
{
	add_number(to, "faults", row->faults);
	add_number(to, "all_faults", row->all_faults);
	add_number(to, "faults_waiting", row->waiting);
}

/* Members that processes, IOAS and the totals have. */
static void add_mappings(struct json_object *to, const struct entry *row)
{
	add_number(to, "mapped_bytes", row->mapped);
	add_number(to, "pinned_pages", row->pinned);
	add_number(to, "areas", row->areas);
	add_number(to, "newly_pinned_pages", row->pins);
	add_number(to, "newly_unpinned_pages", row->unpins);
	add_op(to, row, OP_MAP);
	add_op(to, row, OP_UNMAP);
}

/* Members that processes and the totals have. */
static void add_sums(struct json_object *to, const struct entry *row)
{
	add_mappings(to, row);
	add_op(to, row, OP_INVALIDATE);
	add_op(to, row, OP_DIRTY);
	add_faults(to, row);
	add_failures(to, row);
}

static void add_process(struct json_object *to, const struct entry *row)
{
	add_number(to, "contexts",
		   row->ioases == ABSENT ? ABSENT : row->contexts);
	add_number(to, "ioas_live", row->ioases);
	add_number(to, "devices", row->devices);
	add_number(to, "limit_pages", row->limit);
	add_number(to, "used_pages", row->used);
	add_sums(to, row);
}

static void add_ioas(struct json_object *to, const struct entry *row)
{
	json_add_u64(to, "ioas", row->ioas);
	add_mappings(to, row);
}

static void add_table(struct json_object *to, const struct entry *row)
{
	char buf[CELL_LEN];

	json_add_u64(to, "hwpt", row->hwpt);
	json_add_text(to, "kind", cell_kind(buf, row));
	json_add_u64(to, "parent", row->parent);
	json_add_u64(to, "ioas", row->ioas);
	json_add_text(to, "flags", row->flags);
	add_number(to, "devices", row->devices);
	add_op(to, row, OP_INVALIDATE);
	add_op(to, row, OP_DIRTY);
}

static void add_device(struct json_object *to, const struct entry *row)
{
	json_add_u64(to, "device_id", row->device);
	if (*row->name)
		json_add_text(to, "device", row->name);
	else
		json_add(to, "device", NULL);
	identity_add_device(to, row->name);
	add_number(to, "group", row->group);
	add_number(to, "hwpt", row->hwpt);
	add_number(to, "ioas", row->hwpt == ABSENT ? ABSENT : row->ioas);
	add_number(to, "attaches", row->moves.count);
	add_number(to, "all_attaches", row->moves.all_count);
	add_number(to, "attach_last_ns", row->moves.last_ns);
	add_number(to, "attach_max_ns", row->moves.max_ns);
	add_faults(to, row);
	add_number(to, "refused_dma", row->refused);
	add_number(to, "all_refused_dma", row->all_refused);
	add_failures(to, row);
}

static void add_failure(struct json_object *to, const struct entry *row,
			bool stock)
{
	const struct last_failure *last = &row->last;
	char buf[CELL_LEN];

	if (!stock)
		json_add_text(to, "reason", row->name);
	add_failures(to, row);
	json_add_text(to, "error", names_errno(last->error));
	json_add_u64(to, "errno", last->error);
	json_add_text(to, "request", cell_request(buf, row));
	json_add_u64(to, "request_number", last->command);
	json_add_u64(to, "age_ns", last->age_ns);
	if (stock)
		return;
	json_add_u64(to, "ctx", row->ctx);
	json_add_u64(to, "first", last->first);
	json_add_u64(to, "second", last->second);
	json_add_text(to, "policy", last->policy);
}

static void add_size(struct json_object *to, const struct entry *row,
		     bool stock)
{
	if (!stock) {
		json_add_u64(to, "ioas", row->ioas);
		add_number(to, "areas", row->areas);
	}
	json_add_u64(to, "size_min_bytes", row->size_min);
	json_add_u64(to, "size_max_bytes", row->size_max);
	json_add_u64(to, "maps", row->op[OP_MAP].count);
	json_add_u64(to, "unmaps", row->op[OP_UNMAP].count);
}

static struct json_object *row_object(const struct entry *row, enum view view,
				      bool stock)
{
	struct json_object *out = json_object_new_object();
	/* System calls don't tell the IOAS. */
	bool no_ctx = stock && view == VIEW_SIZE;

	json_add_u64(out, "pid", row->pid);
	json_add_u64(out, "uid", row->uid);
	json_add_text(out, "command", row->comm);
	identity_add_vm(out, row->pid);
	if (view != VIEW_PROCESS && view != VIEW_FAILURE && !no_ctx) {
		json_add_u64(out, "ctx", row->ctx);
		if (stock)
			json_add(out, "late", NULL);
		else
			json_add_bool(out, "late", row->late);
	}
	if (view != VIEW_FAILURE && !no_ctx)
		json_add_bool(out, "ended", row->ended);
	switch (view) {
	case VIEW_PROCESS:
		add_process(out, row);
		break;
	case VIEW_IOAS:
		add_ioas(out, row);
		break;
	case VIEW_HWPT:
		add_table(out, row);
		break;
	case VIEW_DEVICE:
		add_device(out, row);
		break;
	case VIEW_FAILURE:
		add_failure(out, row, stock);
		break;
	default:
		add_size(out, row, stock);
	}
	for (enum column col = 0; col < COLUMNS; col++)
		if (column_json(col) && view_has(view, col))
			add_number(out, column_json(col),
				   column_value(col, row));
	return out;
}

void print_json(FILE *out, const struct model *model, enum view view,
		const struct table *rows)
{
	struct json_object *line = json_object_new_object();
	struct json_object *total = json_object_new_object();
	struct json_object *array = json_object_new_array();

	json_add_u64(line, "time_ns", model->time_ns);
	json_add_u64(line, "interval_ns", model->interval_ns);
	json_add_text(line, "source", source_name(model->source));
	json_add_bool(line, "stock", model->stock);
	json_add_u64(line, "lost_events", model->lost);
	json_add_u64(line, "events", model->events);
	json_add_u64(line, "cpu_ns", model->cpu_ns);
	add_number(line, "bpf_ns", model->bpf_ns);
	json_add_u64(line, "processes", model->processes);
	add_number(line, "contexts", model->state ? model->contexts : ABSENT);
	add_number(line, "ioas_live", model->state ? model->live : ABSENT);
	add_number(line, "ioas_ended", model->stock ? ABSENT : model->ended);
	add_sums(total, &model->total);
	json_add(line, "total", total);
	json_add_text(line, "view", view_name(view));
	for (size_t i = 0; i < rows->nr; i++)
		json_object_array_add(array, row_object(&rows->entries[i], view,
							model->stock));
	json_add(line, "rows", array);
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
	json_object_put(line);
}
