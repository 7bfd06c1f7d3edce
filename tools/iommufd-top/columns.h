/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The columns of the table: what they are called, how wide they are, what stands
 * in them and how they sort. The same on a terminal and in text.
 */
#ifndef __COLUMNS_H
#define __COLUMNS_H

#include "report.h"

enum column {
	COL_PID,
	COL_COMMAND,
	COL_CTX,
	COL_IOAS,
	COL_MAPPED,
	COL_PINNED,
	COL_MAPS,
	COL_UNMAPS,
	COL_MAP_P50,
	COL_MAP_P99,
	COL_MAP_MAX,
	COL_UNMAP_P50,
	COL_UNMAP_P99,
	COL_UNMAP_MAX,
	COL_FAILED,
	COLUMNS,
};

/* Room for the widest cell, and for the widest line. */
#define CELL_LEN 32
#define LINE_LEN 512
/* From here on a line has all columns in full. */
#define FULL_WIDTH 96

/**
 * struct sort - how rows are ordered
 * @column: by what; rows that don't differ in it are ordered by their ids
 * @reverse: against the column's own direction: names and ids go up, amounts
 *	down
 */
struct sort {
	enum column column;
	bool reverse;
};

/* The column of that name, COLUMNS if there is none. */
enum column column_by_name(const char *name);
const char *column_name(enum column col);

/*
 * Title of a column; width in a line of @line characters, 0 if left out. With
 * @interval_ns 0, here and below, there are counts in place of rates.
 */
const char *column_title(enum column col, __u64 interval_ns);
int column_width(enum column col, int line);
/* Text is to the left, numbers are to the right. */
bool column_is_text(enum column col);

/* The cell of @row, not padded, in @buf of CELL_LEN bytes. */
const char *column_cell(char *buf, enum column col,
			const struct row_report *row, __u64 interval_ns);

/* Stands between COMMAND and what follows: x ended, ~ was there before us. */
char row_mark(const struct row_report *row);

/*
 * Whole lines of @line characters in @buf of LINE_LEN bytes: the line above the
 * titles that groups them, the titles, a row.
 */
const char *line_of_groups(char *buf, int line);
const char *line_of_titles(char *buf, __u64 interval_ns, int line);
const char *line_of_row(char *buf, const struct row_report *row,
			__u64 interval_ns, int line);

void sort_rows(struct row_report *rows, size_t nr, const struct sort *sort);

#endif
