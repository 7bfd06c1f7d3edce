// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../lib/fmt.h"
#include "columns.h"
#include "cells.h"

enum kind { TEXT, ID, BOUND, BYTES, COUNT, SHORT, RATE, NS };

/**
 * struct column_definition - what is fixed about a column; other members are 0
 * @name: for -s
 * @title: what is above the cells
 * @count_title: title in place of @title if there is no interval
 * @group: text above the titles of several columns
 * @kind: how its values are written, and in which order they are sorted
 * @width: minimum width
 * @max_width: maximum width, which only text can use
 * @value: its number
 * @text: its text, if @kind is TEXT, in @buf of CELL_LEN bytes
 * @is_alarm: whether to highlight a cell as a problem
 * @is_whole: a cell that does not fit ends after a word, with a +
 * @json: key of its number in the rows of the views that show it, after the
 *	members that print_json() adds
 * @in: its place in each view, 0 if the view doesn't have it, and the width of
 *	a line from which it does
 */
struct column_definition {
	const char *name;
	const char *title;
	const char *count_title;
	const char *group;
	enum kind kind;
	int width;
	int max_width;
	__s64 (*value)(const struct entry *row);
	const char *(*text)(char *buf, const struct entry *row);
	bool (*is_alarm)(const struct entry *row);
	bool is_whole;
	const char *json;
	struct {
		int place;
		int from;
	} in[VIEWS];
};

static __s64 bytes_of(__s64 pages)
{
	return pages < 0 ? pages : pages * getpagesize();
}

static bool has_failed(const struct entry *row)
{
	return row->failed && row->failed != (__u64)ABSENT;
}

static bool has_refused(const struct entry *row)
{
	return row->refused > 0;
}

static bool is_near_limit(const struct entry *row)
{
	return row->limit >= 0 && row->used * 10 >= row->limit * 9;
}

/* Durations are only shown if some of them are known. */
#define TIMED(which, member) \
	(row->op[which].timed ? (__s64)row->op[which].member : ABSENT)

#define NUMBER(id, name, title, kind, width, expression, ...) \
	static __s64 value_##id(const struct entry *row)      \
	{                                                     \
		return expression;                            \
	}
#define DURATION(id, name, title, group, expression, ...) \
	NUMBER(id, name, title, NS, 4, expression)
#define TEXT(id, ...)
#define HELP(titles, meaning)
#include "columns.def"

#define AT(view, where)		 [VIEW_##view] = { .place = (where) }
#define FROM(width, view, where) [VIEW_##view] = { (where), (width) }

#define NUMBER(id, name_, title_, kind_, width_, expression, ...) \
	[COL_##id] = { .name = (name_),                           \
		       .title = (title_),                         \
		       .kind = (kind_),                           \
		       .width = (width_),                         \
		       .max_width = (width_),                     \
		       .value = value_##id,                       \
		       __VA_ARGS__ },
#define DURATION(id, name_, title_, group_, expression, ...)            \
	NUMBER(id, name_, title_, NS, 4, expression, .group = (group_), \
	       __VA_ARGS__)
#define TEXT(id, name_, title_, width_, most, text_, ...) \
	[COL_##id] = { .name = (name_),                   \
		       .title = (title_),                 \
		       .kind = TEXT,                      \
		       .width = (width_),                 \
		       .max_width = (most),               \
		       .text = (text_),                   \
		       __VA_ARGS__ },
#define HELP(titles, meaning)

static const struct column_definition columns[COLUMNS] = {
#include "columns.def"
};

#define NUMBER(id, ...)
#define DURATION(id, ...)
#define TEXT(id, ...)
#define HELP(titles, meaning) { titles, meaning },

static const struct {
	const char *titles;
	const char *meaning;
} help[] = {
#include "columns.def"
};

const char *column_help(char *buf, size_t size, size_t line)
{
	if (line >= sizeof(help) / sizeof(*help))
		return NULL;
	snprintf(buf, size, "%-11s  %s", help[line].titles, help[line].meaning);
	return buf;
}

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
	const char *count = columns[col].count_title;

	return !interval_ns && count ? count : columns[col].title;
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

int column_place(enum column col, enum view view, int line)
{
	return line >= columns[col].in[view].from ?
		       columns[col].in[view].place :
		       0;
}

bool column_is_alarm(enum column col, const struct entry *row)
{
	return columns[col].is_alarm && columns[col].is_alarm(row);
}

const char *column_json(enum column col)
{
	return columns[col].json;
}

__s64 column_value(enum column col, const struct entry *row)
{
	return columns[col].value(row);
}

bool column_is_whole(enum column col)
{
	return columns[col].is_whole;
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
	case BOUND:
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
	return columns[col].kind == ID || columns[col].kind == BOUND ? by : -by;
}
