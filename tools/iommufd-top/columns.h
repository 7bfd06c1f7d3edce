/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The columns of the tables: their names, widths, contents and sort order. They
 * are the same on a terminal and in text.
 */
#ifndef __COLUMNS_H
#define __COLUMNS_H

#include "report.h"

enum column {
	COL_PID,
	COL_COMMAND,
	COL_UID,
	COL_CTX,
	COL_IOAS,
	COL_HWPT,
	COL_DEVICE,
	COL_GROUP,
	COL_KIND,
	COL_PARENT,
	COL_FLAGS,
	COL_CONTEXTS,
	COL_SPACES,
	COL_DEVICES,
	COL_MAPPED,
	COL_PINNED,
	COL_LIMIT,
	COL_AREAS,
	COL_MAPS,
	COL_UNMAPS,
	COL_MAP_P50,
	COL_MAP_P99,
	COL_MAP_MAX,
	COL_UNMAP_P50,
	COL_UNMAP_P99,
	COL_UNMAP_MAX,
	COL_INVALIDATIONS,
	COL_ENTRIES,
	COL_INVALIDATE_P50,
	COL_INVALIDATE_P99,
	COL_INVALIDATE_MAX,
	COL_DIRTY_READS,
	COL_DIRTY_BYTES,
	COL_DIRTY_P99,
	COL_DIRTY_MAX,
	COL_FAULTS,
	COL_WAITING,
	COL_ATTACHES,
	COL_ATTACH_LAST,
	COL_ATTACH_MAX,
	COL_FAILED,
	COL_REASON,
	COL_COUNT,
	COL_RATE,
	COL_AGE,
	COL_ERRNO,
	COL_NUMBERS,
	COL_REQUEST,
	COL_SIZE,
	COL_BELOW,
	COL_ALL_MAPS,
	COL_ALL_UNMAPS,
	COL_SHARE,
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

/* Text is aligned to the left, numbers to the right. */
bool column_is_text(enum column col);

/* The cell of @entry, without padding, in @buf of CELL_LEN bytes. */
const char *column_cell(char *buf, enum column col, const struct entry *entry,
			__u64 interval_ns);

/* Compares in the column's own order: names and ids ascend, amounts descend. */
int column_compare(enum column col, const struct entry *left,
		   const struct entry *right);

#endif
