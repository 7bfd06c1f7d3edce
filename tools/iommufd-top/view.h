/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables: their columns and rows. */
#ifndef __VIEW_H
#define __VIEW_H

#include "columns.h"

/* Room for the widest line. */
#define LINE_LEN 512
/* Text has all columns. */
#define TEXT_WIDTH 170

/**
 * struct sort - order of rows
 * @column: sort by this column, then by id
 * @reverse: reverse the column's own order
 */
struct sort {
	enum column column;
	bool reverse;
};

/**
 * struct scope - which rows are shown; members that are 0 don't matter
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
/* The view with this name, or VIEWS. */
enum view view_by_name(const char *name);
/* The name of its rows, in the plural. */
const char *view_title(enum view view);
/* The default sort column. */
enum column view_sort(enum view view);
bool view_has(enum view view, enum column col);
/* Whether the view is available on a stock kernel. */
bool view_is_stock(enum view view);

/**
 * struct layout - the columns that fit a line
 * @width: of each column
 * @end: the end of the last column
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
 * Fills @rows with the rows of a model that are in @scope and, unless @filter
 * is empty, contain it, ignoring case. Failures are added up by reason.
 */
void filter_rows(struct table *rows, const struct model *model, enum view view,
		 const struct scope *scope, const char *filter,
		 const struct sort *sort);

/*
 * Lines in @buf of LINE_LEN bytes: the groups above the titles, the titles, a
 * row. An x after the COMMAND marks a row that has ended.
 */
const char *line_of_groups(char *buf, const struct layout *layout);
const char *line_of_titles(char *buf, const struct layout *layout,
			   __u64 interval_ns);
const char *line_of_row(char *buf, const struct layout *layout,
			const struct entry *row, __u64 interval_ns);

#endif
