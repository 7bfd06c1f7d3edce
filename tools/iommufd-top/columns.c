// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../lib/fmt.h"
#include "columns.h"
#include "words.h"

typedef __s64 (*value_fn)(const struct entry *row);

#define VALUE(name, expression)                            \
	static __s64 value_##name(const struct entry *row) \
	{                                                  \
		return expression;                         \
	}

/* Durations are only shown if some of them are known. */
#define TIMES(name, kind)                                                 \
	VALUE(name##_p50,                                                 \
	      row->op[kind].timed ? (__s64)row->op[kind].p50_ns : ABSENT) \
	VALUE(name##_p99,                                                 \
	      row->op[kind].timed ? (__s64)row->op[kind].p99_ns : ABSENT) \
	VALUE(name##_max,                                                 \
	      row->op[kind].timed ? (__s64)row->op[kind].max_ns : ABSENT)

static __s64 bytes_of(__s64 pages)
{
	return pages < 0 ? pages : pages * getpagesize();
}

VALUE(pid, row->pid)
VALUE(uid, row->uid)
VALUE(ctx, row->ctx)
VALUE(ioas, row->ioas ?: ABSENT)
VALUE(hwpt, row->hwpt ?: ABSENT)
VALUE(group, row->group)
VALUE(parent, row->parent ?: ABSENT)
VALUE(contexts, row->contexts)
VALUE(spaces, row->spaces)
VALUE(devices, row->devices)
VALUE(mapped, row->mapped)
VALUE(pinned, bytes_of(row->pinned))
VALUE(limit, bytes_of(row->limit))
VALUE(areas, row->areas)
VALUE(maps, row->op[OP_MAP].count)
VALUE(unmaps, row->op[OP_UNMAP].count)
TIMES(map, OP_MAP)
TIMES(unmap, OP_UNMAP)
VALUE(invalidations, row->op[OP_INVALIDATE].count)
VALUE(entries, row->op[OP_INVALIDATE].amount)
TIMES(invalidate, OP_INVALIDATE)
VALUE(dirty_reads, row->op[OP_DIRTY].count)
VALUE(dirty_bytes, row->op[OP_DIRTY].amount)
VALUE(dirty_p99,
      row->op[OP_DIRTY].timed ? (__s64)row->op[OP_DIRTY].p99_ns : ABSENT)
VALUE(dirty_max,
      row->op[OP_DIRTY].timed ? (__s64)row->op[OP_DIRTY].max_ns : ABSENT)
VALUE(faults, row->faults)
VALUE(waiting, row->waiting)
VALUE(attaches, row->moves.all_count)
VALUE(attach_last, row->moves.last_ns ? (__s64)row->moves.last_ns : ABSENT)
VALUE(attach_max, row->moves.max_ns ? (__s64)row->moves.max_ns : ABSENT)
VALUE(failed, row->failed)
VALUE(count, row->all_failed)
VALUE(age, row->last.age_ns)
VALUE(size, row->size_min)
VALUE(below, row->size_max + 1)
VALUE(all_maps, row->op[OP_MAP].all_count)
VALUE(all_unmaps, row->op[OP_UNMAP].all_count)

#define NUMBER(name_, title_, kind_, width_, value_) \
	{                                            \
		.name = (name_),                     \
		.title = (title_),                   \
		.kind = (kind_),                     \
		.width = (width_),                   \
		.max_width = (width_),               \
		.value = (value_),                   \
	}
#define TIME(name_, title_, value_, group_) \
	{                                   \
		.name = (name_),            \
		.title = (title_),          \
		.kind = NS,                 \
		.width = 4,                 \
		.max_width = 4,             \
		.value = (value_),          \
		.group = (group_),          \
	}
#define WORDS(name_, title_, width_, most, text_) \
	{                                         \
		.name = (name_),                  \
		.title = (title_),                \
		.kind = TEXT,                     \
		.width = (width_),                \
		.max_width = (most),              \
		.text = (text_),                  \
	}

enum kind { TEXT, ID, FROM, BYTES, COUNT, SHORT, RATE, NS };

static const struct {
	const char *name;
	const char *title;
	enum kind kind;
	int width;
	value_fn value;
	const char *group;
	int max_width;
	const char *(*text)(char *buf, const struct entry *row);
} columns[] = {
	[COL_PID] = NUMBER("pid", "PID", ID, 7, value_pid),
	[COL_COMMAND] = WORDS("command", "COMMAND", 7, 15, word_command),
	[COL_UID] = NUMBER("uid", "UID", ID, 5, value_uid),
	[COL_CTX] = NUMBER("ctx", "CTX", ID, 7, value_ctx),
	[COL_IOAS] = NUMBER("ioas", "IOAS", ID, 4, value_ioas),
	[COL_HWPT] = NUMBER("hwpt", "HWPT", ID, 4, value_hwpt),
	[COL_DEVICE] = WORDS("device", "DEVICE", 12, TOP_NAME_LEN, word_device),
	[COL_GROUP] = NUMBER("group", "GROUP", ID, 5, value_group),
	[COL_KIND] = WORDS("kind", "KIND", 6, 6, word_kind),
	[COL_PARENT] = NUMBER("parent", "ON", ID, 4, value_parent),
	[COL_FLAGS] = WORDS("flags", "FLAG", 4, 4, word_flags),
	[COL_CONTEXTS] = NUMBER("contexts", "CTXS", COUNT, 4, value_contexts),
	[COL_SPACES] = NUMBER("spaces", "IOAS", SHORT, 4, value_spaces),
	[COL_DEVICES] = NUMBER("devices", "DEV", SHORT, 3, value_devices),
	[COL_MAPPED] = NUMBER("mapped", "MAPPED", BYTES, 6, value_mapped),
	[COL_PINNED] = NUMBER("pinned", "PIN", BYTES, 5, value_pinned),
	[COL_LIMIT] = NUMBER("limit", "LIMIT", BYTES, 6, value_limit),
	[COL_AREAS] = NUMBER("areas", "AREAS", COUNT, 5, value_areas),
	[COL_MAPS] = NUMBER("maps", "MAP/s", RATE, 5, value_maps),
	[COL_UNMAPS] = NUMBER("unmaps", "UNM/s", RATE, 5, value_unmaps),
	[COL_MAP_P50] = TIME("map-p50", "P50", value_map_p50, "map"),
	[COL_MAP_P99] = TIME("map-p99", "P99", value_map_p99, "map"),
	[COL_MAP_MAX] = TIME("map-max", "MAX", value_map_max, "map"),
	[COL_UNMAP_P50] = TIME("unmap-p50", "P50", value_unmap_p50, "unmap"),
	[COL_UNMAP_P99] = TIME("unmap-p99", "P99", value_unmap_p99, "unmap"),
	[COL_UNMAP_MAX] = TIME("unmap-max", "MAX", value_unmap_max, "unmap"),
	[COL_INVALIDATIONS] =
		NUMBER("invalidations", "INV/s", RATE, 5, value_invalidations),
	[COL_ENTRIES] = NUMBER("entries", "ENT/s", RATE, 5, value_entries),
	[COL_INVALIDATE_P50] =
		TIME("invalidate-p50", "P50", value_invalidate_p50, "inval"),
	[COL_INVALIDATE_P99] =
		TIME("invalidate-p99", "P99", value_invalidate_p99, "inval"),
	[COL_INVALIDATE_MAX] =
		TIME("invalidate-max", "MAX", value_invalidate_max, "inval"),
	[COL_DIRTY_READS] =
		NUMBER("dirty-reads", "DRD/s", RATE, 5, value_dirty_reads),
	[COL_DIRTY_BYTES] =
		NUMBER("dirty-bytes", "DIRTY", BYTES, 6, value_dirty_bytes),
	[COL_DIRTY_P99] = TIME("dirty-p99", "P99", value_dirty_p99, "dirty"),
	[COL_DIRTY_MAX] = TIME("dirty-max", "MAX", value_dirty_max, "dirty"),
	[COL_FAULTS] = NUMBER("faults", "FLT/s", RATE, 5, value_faults),
	[COL_WAITING] = NUMBER("waiting", "WAIT", SHORT, 4, value_waiting),
	[COL_ATTACHES] = NUMBER("attaches", "ATTACH", COUNT, 6, value_attaches),
	[COL_ATTACH_LAST] =
		TIME("attach-last", "LAST", value_attach_last, "attach"),
	[COL_ATTACH_MAX] =
		TIME("attach-max", "MAX", value_attach_max, "attach"),
	[COL_FAILED] = NUMBER("failed", "FAIL", SHORT, 4, value_failed),
	[COL_REASON] = WORDS("reason", "REASON", 17, 24, word_reason),
	[COL_COUNT] = NUMBER("count", "COUNT", COUNT, 5, value_count),
	[COL_RATE] = NUMBER("rate", "FAIL/s", RATE, 6, value_failed),
	[COL_AGE] = NUMBER("age", "AGO", NS, 4, value_age),
	[COL_ERRNO] = WORDS("errno", "ERRNO", 10, 10, word_errno),
	[COL_NUMBERS] = WORDS("numbers", "NUMBERS", 17, 40, word_numbers),
	[COL_REQUEST] = WORDS("request", "REQUEST", 20, 30, word_request),
	[COL_SIZE] = NUMBER("size", "FROM", FROM, 6, value_size),
	[COL_BELOW] = NUMBER("below", "BELOW", FROM, 6, value_below),
	[COL_ALL_MAPS] = NUMBER("all-maps", "MAPS", COUNT, 5, value_all_maps),
	[COL_ALL_UNMAPS] =
		NUMBER("all-unmaps", "UNMAPS", COUNT, 6, value_all_unmaps),
	[COL_SHARE] = WORDS("share", "SHARE", 10, 10, word_share),
};

enum column column_by_name(const char *name)
{
	enum column col = 0;

	while (col < COLUMNS && strcmp(columns[col].name, name))
		col++;
	return col;
}

const char *column_name(enum column col)
{
	return columns[col].name;
}

const char *column_title(enum column col, __u64 interval_ns)
{
	static const char *const counts[COLUMNS] = {
		[COL_MAPS] = "MAPS",	       [COL_UNMAPS] = "UNMAP",
		[COL_INVALIDATIONS] = "INVAL", [COL_ENTRIES] = "ENTRY",
		[COL_DIRTY_READS] = "DREAD",   [COL_FAULTS] = "FAULT",
		[COL_RATE] = "FAILED",
	};

	return !interval_ns && counts[col] ? counts[col] : columns[col].title;
}

const char *column_group(enum column col)
{
	return columns[col].group;
}

int column_width(enum column col)
{
	return columns[col].width;
}

int column_max_width(enum column col)
{
	return columns[col].max_width;
}

bool column_is_text(enum column col)
{
	return columns[col].kind == TEXT;
}

static const char *number(char *buf, enum kind kind, __s64 value,
			  __u64 interval_ns)
{
	switch (kind) {
	case TEXT:
		break;
	case ID:
		snprintf(buf, CELL_LEN, "%lld", value);
		return buf;
	case FROM:
	case BYTES:
		return fmt_bytes(buf, value);
	case COUNT:
		return fmt_count(buf, value);
	case SHORT:
		return fmt_short(buf, value);
	case RATE:
		return interval_ns ? fmt_rate(buf, value * 1e9 / interval_ns) :
				     fmt_count(buf, value);
	case NS:
		return fmt_ns(buf, value);
	}
	return "";
}

const char *column_cell(char *buf, enum column col, const struct entry *entry,
			__u64 interval_ns)
{
	__s64 value;

	if (columns[col].kind == TEXT)
		return columns[col].text(buf, entry);
	value = columns[col].value(entry);
	return value == ABSENT ?
		       "-" :
		       number(buf, columns[col].kind, value, interval_ns);
}

static int order(__s64 a, __s64 b)
{
	return (a > b) - (a < b);
}

int column_compare(enum column col, const struct entry *left,
		   const struct entry *right)
{
	char a[CELL_LEN], b[CELL_LEN];
	int by;

	if (columns[col].kind == TEXT)
		return strcmp(columns[col].text(a, left),
			      columns[col].text(b, right));
	by = order(columns[col].value(left), columns[col].value(right));
	return columns[col].kind == ID || columns[col].kind == FROM ? by : -by;
}
