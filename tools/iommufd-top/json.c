// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One object a refresh, on one line. Numbers are exact integers in the units
 * that their names tell; the manual page lists them all, and a name once there
 * stays.
 */
#include <json-c/json.h>
#include "output.h"

static void add_u64(struct json_object *to, const char *name, __u64 value)
{
	json_object_object_add(to, name, json_object_new_uint64(value));
}

static void add_bool(struct json_object *to, const char *name, bool value)
{
	json_object_object_add(to, name, json_object_new_boolean(value));
}

static struct json_object *op_object(const struct op_report *op)
{
	struct json_object *out = json_object_new_object();

	add_u64(out, "count", op->count);
	add_u64(out, "failed", op->failed);
	add_u64(out, "bytes", op->bytes);
	add_u64(out, "timed", op->timed);
	add_u64(out, "p50_ns", op->p50_ns);
	add_u64(out, "p99_ns", op->p99_ns);
	add_u64(out, "max_ns", op->max_ns);
	add_u64(out, "all_count", op->all_count);
	add_u64(out, "all_failed", op->all_failed);
	add_u64(out, "all_bytes", op->all_bytes);
	add_u64(out, "all_max_ns", op->all_max_ns);
	return out;
}

/* What a row and the totals have in common. */
static void add_numbers(struct json_object *to, const struct row_report *row)
{
	add_u64(to, "mapped_bytes", row->mapped);
	add_u64(to, "pinned_pages", row->pinned);
	add_u64(to, "pages_pinned", row->pins);
	add_u64(to, "pages_unpinned", row->unpins);
	json_object_object_add(to, "map", op_object(&row->op[TOP_MAP]));
	json_object_object_add(to, "unmap", op_object(&row->op[TOP_UNMAP]));
}

static struct json_object *row_object(const struct row_report *row)
{
	struct json_object *out = json_object_new_object();

	add_u64(out, "pid", row->pid);
	add_u64(out, "uid", row->uid);
	json_object_object_add(out, "command",
			       json_object_new_string(row->comm));
	add_u64(out, "ctx", row->ctx);
	add_u64(out, "ioas", row->ioas);
	add_bool(out, "late", row->late);
	add_bool(out, "ended", row->ended);
	add_numbers(out, row);
	return out;
}

void print_json(FILE *out, const struct report *report)
{
	struct json_object *line = json_object_new_object();
	struct json_object *total = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	add_u64(line, "time_ns", report->time_ns);
	add_u64(line, "interval_ns", report->interval_ns);
	add_u64(line, "lost_events", report->lost);
	add_u64(line, "processes", report->processes);
	add_u64(line, "contexts", report->contexts);
	add_u64(line, "ioas_live", report->live);
	add_u64(line, "ioas_ended", report->ended);
	add_numbers(total, &report->total);
	json_object_object_add(line, "total", total);
	for (size_t i = 0; i < report->nr; i++)
		json_object_array_add(rows, row_object(&report->rows[i]));
	json_object_object_add(line, "rows", rows);
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
	json_object_put(line);
}
