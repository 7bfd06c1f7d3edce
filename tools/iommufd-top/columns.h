/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The columns of the tables: their names, widths, contents and sort order. They
 * are the same on a terminal and in text.
 */
#ifndef __COLUMNS_H
#define __COLUMNS_H

#include "model.h"

#define NUMBER(id, ...)	  COL_##id,
#define DURATION(id, ...) COL_##id,
#define TEXT(id, ...)	  COL_##id,
#define HELP(titles, meaning)

enum column {
#include "columns.def"
	COLUMNS,
};

/* Room for the widest cell. */
#define CELL_LEN 64

/* The column with this name, or COLUMNS. */
enum column column_by_name(const char *name);
const char *column_name(enum column col);

/*
 * The title of a column. If @interval_ns is 0, here and below, counts are shown
 * instead of rates.
 */
const char *column_title(enum column col, __u64 interval_ns);

/* The text above the titles of related columns, or NULL. */
const char *column_group(enum column col);

/* The minimum and maximum width: only text can use more than the minimum. */
int column_width(enum column col);
int column_max_width(enum column col);

/*
 * Columns of a view are in the order of their places. 0 if a view has no such
 * column in lines of @line characters.
 */
int column_place(enum column col, enum view view, int line);

/* Whether a cell is highlighted as a problem. */
bool column_is_alarm(enum column col, const struct entry *row);

/*
 * The key of a column's number in JSON, NULL if it is not added to the rows of
 * its views, and that number.
 */
const char *column_json(enum column col);
__s64 column_value(enum column col, const struct entry *row);

/* A line of the help on columns; NULL after the last one. */
const char *column_help(char *buf, size_t size, size_t line);

/* Whether its text is shown in whole words only. */
bool column_is_whole(enum column col);
/* Text is aligned to the left, numbers to the right. */
bool column_is_text(enum column col);

/* The cell of @entry, without padding, in @buf of CELL_LEN bytes. */
const char *column_cell(char *buf, enum column col, const struct entry *entry,
			__u64 interval_ns);

/* Compares in the column's own order: names and ids ascend, amounts descend. */
int column_compare(enum column col, const struct entry *left,
		   const struct entry *right);

#endif
