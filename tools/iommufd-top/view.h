/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables: which columns they have, and what is in them. */
#ifndef __VIEW_H
#define __VIEW_H

#include "columns.h"

/* Room for the widest line. */
#define LINE_LEN 512
/* Text has all columns. */
#define TEXT_WIDTH 170

/**
 * struct sort - how rows are ordered
 * @column: by what; rows that don't differ in it are ordered by their ids
 * @reverse: against the column's own direction
 */
struct sort {
	enum column column;
	bool reverse;
};

/**
 * struct scope - of what rows are shown, all that are not 0
 * @pid: process
 * @ctx: context
 * @ioas: IOAS in it
 * @hwpt: page table in it
 */
struct scope {
	__u32 pid;
	__u32 ctx;
	__u32 ioas;
	__u32 hwpt;
};

const char *view_name(enum view view);
/* VIEWS if there is none of that name. */
enum view view_by_name(const char *name);
/* What its rows are called. */
const char *view_title(enum view view);
/* How it is sorted unless somebody says otherwise. */
enum column view_sort(enum view view);
bool view_has(enum view view, enum column col);
/* Whether a stock kernel tells something for it. */
bool view_is_stock(enum view view);

/**
 * struct layout - the columns that a line has room for
 * @width: of each
 * @end: where the last one ends
 */
struct layout {
	size_t nr;
	enum column column[COLUMNS];
	int width[COLUMNS];
	int end;
};

/* @line: characters in a line */
void layout_set(struct layout *layout, enum view view, int line);

/*
 * Fills @rows with what of a report is in @scope and has @filter in its texts,
 * whatever the case, unless it is empty. Failures are summed up by reason.
 */
void select_rows(struct table *rows, const struct report *report,
		 enum view view, const struct scope *scope, const char *filter,
		 const struct sort *sort);

/*
 * Lines in @buf of LINE_LEN bytes: the line above the titles that groups them,
 * the titles, a row. After COMMAND stands x for what has ended.
 */
const char *line_of_groups(char *buf, const struct layout *layout);
const char *line_of_titles(char *buf, const struct layout *layout,
			   __u64 interval_ns);
const char *line_of_row(char *buf, const struct layout *layout,
			const struct entry *row, __u64 interval_ns);

#endif
