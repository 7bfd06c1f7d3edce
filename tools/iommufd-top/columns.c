// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/fmt.h"
#include "columns.h"

typedef __s64 (*value_fn)(const struct row_report *row);

#define VALUE(name, expression)                                 \
	static __s64 value_##name(const struct row_report *row) \
	{                                                       \
		return row->expression;                         \
	}

VALUE(pid, pid)
VALUE(ctx, ctx)
VALUE(ioas, ioas)
VALUE(mapped, mapped)
VALUE(pinned, pinned)
VALUE(maps, op[TOP_MAP].count)
VALUE(unmaps, op[TOP_UNMAP].count)
VALUE(map_p50, op[TOP_MAP].p50_ns)
VALUE(map_p99, op[TOP_MAP].p99_ns)
VALUE(map_max, op[TOP_MAP].max_ns)
VALUE(unmap_p50, op[TOP_UNMAP].p50_ns)
VALUE(unmap_p99, op[TOP_UNMAP].p99_ns)
VALUE(unmap_max, op[TOP_UNMAP].max_ns)
VALUE(failed, op[TOP_MAP].failed + row->op[TOP_UNMAP].failed)

enum kind { TEXT, ID, BYTES, COUNT, SHORT, RATE, MAP_NS, UNMAP_NS };

static const struct {
	const char *name;
	const char *title;
	int width;
	enum kind kind;
	value_fn value;
} columns[] = {
	[COL_PID] = { "pid", "PID", 7, ID, value_pid },
	[COL_COMMAND] = { "command", "COMMAND", 7, TEXT, NULL },
	[COL_CTX] = { "ctx", "CTX", 7, ID, value_ctx },
	[COL_IOAS] = { "ioas", "IOAS", 4, ID, value_ioas },
	[COL_MAPPED] = { "mapped", "MAPPED", 6, BYTES, value_mapped },
	[COL_PINNED] = { "pinned", "PAGES", 5, COUNT, value_pinned },
	[COL_MAPS] = { "maps", "MAP/s", 5, RATE, value_maps },
	[COL_UNMAPS] = { "unmaps", "UNM/s", 5, RATE, value_unmaps },
	[COL_MAP_P50] = { "map-p50", "P50", 4, MAP_NS, value_map_p50 },
	[COL_MAP_P99] = { "map-p99", "P99", 4, MAP_NS, value_map_p99 },
	[COL_MAP_MAX] = { "map-max", "MAX", 4, MAP_NS, value_map_max },
	[COL_UNMAP_P50] = { "unmap-p50", "P50", 4, UNMAP_NS, value_unmap_p50 },
	[COL_UNMAP_P99] = { "unmap-p99", "P99", 4, UNMAP_NS, value_unmap_p99 },
	[COL_UNMAP_MAX] = { "unmap-max", "MAX", 4, UNMAP_NS, value_unmap_max },
	[COL_FAILED] = { "failed", "FAIL", 4, SHORT, value_failed },
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
	if (!interval_ns && col == COL_MAPS)
		return "MAPS";
	if (!interval_ns && col == COL_UNMAPS)
		return "UNMAP";
	return columns[col].title;
}

/* What is there beyond 80 goes to the command, then to the context. */
int column_width(enum column col, int line)
{
	int width = columns[col].width, spare = line - 80;

	if (spare < 0)
		spare = 0;
	if (col == COL_CTX)
		return line < FULL_WIDTH ? 0 : width;
	if (col == COL_COMMAND)
		return width + (spare < 8 ? spare : 8);
	return width;
}

bool column_is_text(enum column col)
{
	return columns[col].kind == TEXT;
}

static char *cell_ns(char *buf, const struct op_report *op, __s64 ns)
{
	return op->timed ? fmt_ns(buf, ns) : strcpy(buf, "-");
}

const char *column_cell(char *buf, enum column col,
			const struct row_report *row, __u64 interval_ns)
{
	__s64 value = columns[col].value ? columns[col].value(row) : 0;

	switch (columns[col].kind) {
	case TEXT:
		return strcpy(buf, row->comm);
	case ID:
		snprintf(buf, CELL_LEN, "%lld", value);
		return buf;
	case BYTES:
		return fmt_bytes(buf, value);
	case COUNT:
		return fmt_count(buf, value);
	case SHORT:
		return fmt_short(buf, value);
	case RATE:
		return interval_ns ? fmt_rate(buf, value * 1e9 / interval_ns) :
				     fmt_count(buf, value);
	case MAP_NS:
		return cell_ns(buf, &row->op[TOP_MAP], value);
	case UNMAP_NS:
		return cell_ns(buf, &row->op[TOP_UNMAP], value);
	}
	return "";
}

char row_mark(const struct row_report *row)
{
	return row->ended ? 'x' : ' ';
}

static int put_cell(char *buf, int at, enum column col, int line, char gap,
		    const char *text)
{
	int width = column_width(col, line);

	if (!width)
		return at;
	/* A name may be cut, a number never. */
	if (column_is_text(col))
		return at +
		       sprintf(buf + at, "%-*.*s%c", width, width, text, gap);
	return at + sprintf(buf + at, "%*s%c", width, text, gap);
}

/* The mark takes the place of the gap after COMMAND. */
static const char *close_line(char *buf, int at)
{
	buf[at ? at - 1 : 0] = '\0';
	return buf;
}

const char *line_of_titles(char *buf, __u64 interval_ns, int line)
{
	int at = 0;

	for (enum column col = 0; col < COLUMNS; col++)
		at = put_cell(buf, at, col, line, ' ',
			      column_title(col, interval_ns));
	return close_line(buf, at);
}

const char *line_of_row(char *buf, const struct row_report *row,
			__u64 interval_ns, int line)
{
	char cell[CELL_LEN];
	int at = 0;

	for (enum column col = 0; col < COLUMNS; col++)
		at = put_cell(buf, at, col, line,
			      col == COL_COMMAND ? row_mark(row) : ' ',
			      column_cell(cell, col, row, interval_ns));
	return close_line(buf, at);
}

const char *line_of_groups(char *buf, int line)
{
	int at = 0;

	for (enum column col = 0; col < COL_MAP_P50; col++)
		at = put_cell(buf, at, col, line, ' ', "");
	sprintf(buf + at, "%s %s", "-map latency--", "-unmap latency");
	return buf;
}

static const struct sort *sorting;

static int order(__s64 a, __s64 b)
{
	return (a > b) - (a < b);
}

static int compare(const void *a, const void *b)
{
	const struct row_report *left = a, *right = b;
	enum column col = sorting->column;
	bool up = columns[col].kind == TEXT || columns[col].kind == ID;
	int by;

	if (columns[col].value)
		by = order(columns[col].value(left), columns[col].value(right));
	else
		by = strcmp(left->comm, right->comm);
	if (by)
		return up == sorting->reverse ? -by : by;
	return order(left->pid, right->pid)	    ?:
		       order(left->ctx, right->ctx) ?:
		       order(left->ioas, right->ioas);
}

void sort_rows(struct row_report *rows, size_t nr, const struct sort *sort)
{
	sorting = sort;
	qsort(rows, nr, sizeof(*rows), compare);
}
