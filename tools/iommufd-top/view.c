// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include "view.h"

/* The line width from which a view shows a column; 0: always. */
struct view_column {
	enum column column;
	int from;
};

static const struct view_column process_columns[] = {
	{ COL_PID, 0 },		  { COL_COMMAND, 0 },
	{ COL_UID, 118 },	  { COL_CONTEXTS, 132 },
	{ COL_SPACES, 0 },	  { COL_DEVICES, 0 },
	{ COL_MAPPED, 0 },	  { COL_PINNED, 0 },
	{ COL_LIMIT, 0 },	  { COL_MAPS, 0 },
	{ COL_UNMAPS, 0 },	  { COL_MAP_P50, 100 },
	{ COL_MAP_P99, 0 },	  { COL_MAP_MAX, 0 },
	{ COL_UNMAP_P50, 126 },	  { COL_UNMAP_P99, 126 },
	{ COL_UNMAP_MAX, 126 },	  { COL_INVALIDATIONS, 0 },
	{ COL_DIRTY_READS, 108 }, { COL_WAITING, 100 },
	{ COL_FAILED, 0 },	  { COLUMNS, 0 },
};

static const struct view_column ioas_columns[] = {
	{ COL_PID, 0 },	      { COL_COMMAND, 0 },   { COL_CTX, 100 },
	{ COL_IOAS, 0 },      { COL_MAPPED, 0 },    { COL_PINNED, 0 },
	{ COL_AREAS, 110 },   { COL_MAPS, 0 },	    { COL_UNMAPS, 0 },
	{ COL_MAP_P50, 0 },   { COL_MAP_P99, 0 },   { COL_MAP_MAX, 0 },
	{ COL_UNMAP_P50, 0 }, { COL_UNMAP_P99, 0 }, { COL_UNMAP_MAX, 0 },
	{ COL_FAILED, 0 },    { COLUMNS, 0 },
};

static const struct view_column hwpt_columns[] = {
	{ COL_PID, 0 },
	{ COL_COMMAND, 0 },
	{ COL_CTX, 100 },
	{ COL_HWPT, 0 },
	{ COL_KIND, 0 },
	{ COL_PARENT, 0 },
	{ COL_IOAS, 0 },
	{ COL_FLAGS, 0 },
	{ COL_DEVICES, 0 },
	{ COL_INVALIDATIONS, 0 },
	{ COL_ENTRIES, 108 },
	{ COL_INVALIDATE_P50, 118 },
	{ COL_INVALIDATE_P99, 0 },
	{ COL_INVALIDATE_MAX, 0 },
	{ COL_DIRTY_READS, 0 },
	{ COL_DIRTY_BYTES, 0 },
	{ COL_DIRTY_P99, 132 },
	{ COL_DIRTY_MAX, 132 },
	{ COL_FAILED, 0 },
	{ COLUMNS, 0 },
};

static const struct view_column device_columns[] = {
	{ COL_DEVICE, 0 },     { COL_PID, 0 },	    { COL_COMMAND, 0 },
	{ COL_CTX, 100 },      { COL_IOAS, 0 },	    { COL_HWPT, 0 },
	{ COL_GROUP, 0 },      { COL_ATTACHES, 0 }, { COL_ATTACH_LAST, 0 },
	{ COL_ATTACH_MAX, 0 }, { COL_FAULTS, 0 },   { COL_WAITING, 0 },
	{ COL_FAILED, 0 },     { COLUMNS, 0 },
};

static const struct view_column failure_columns[] = {
	{ COL_REASON, 0 },  { COL_COUNT, 0 }, { COL_RATE, 0 },
	{ COL_AGE, 0 },	    { COL_PID, 0 },   { COL_COMMAND, 0 },
	{ COL_CTX, 120 },   { COL_ERRNO, 0 }, { COL_REQUEST, 110 },
	{ COL_NUMBERS, 0 }, { COLUMNS, 0 },
};

static const struct view_column size_columns[] = {
	{ COL_PID, 0 },	  { COL_COMMAND, 0 },  { COL_CTX, 100 },
	{ COL_IOAS, 0 },  { COL_SIZE, 0 },     { COL_BELOW, 0 },
	{ COL_AREAS, 0 }, { COL_ALL_MAPS, 0 }, { COL_ALL_UNMAPS, 0 },
	{ COL_MAPS, 0 },  { COL_UNMAPS, 0 },   { COL_SHARE, 0 },
	{ COLUMNS, 0 },
};

static const struct {
	const char *name;
	const char *title;
	const struct view_column *columns;
	enum column sort;
	bool stock;
} views[VIEWS] = {
	[VIEW_PROCESS] = { "process", "processes", process_columns, COL_MAPS,
			   true },
	[VIEW_IOAS] = { "ioas", "IOAS", ioas_columns, COL_MAPS, false },
	[VIEW_HWPT] = { "hwpt", "page tables", hwpt_columns, COL_INVALIDATIONS,
			false },
	[VIEW_DEVICE] = { "device", "devices", device_columns, COL_DEVICE,
			  false },
	[VIEW_FAILURE] = { "failure", "failures", failure_columns, COL_COUNT,
			   true },
	[VIEW_SIZE] = { "size", "sizes", size_columns, COL_SIZE, true },
};

const char *view_name(enum view view)
{
	return views[view].name;
}

enum view view_by_name(const char *name)
{
	enum view view = 0;

	while (view < VIEWS && strcmp(views[view].name, name))
		view++;
	return view;
}

const char *view_title(enum view view)
{
	return views[view].title;
}

enum column view_sort(enum view view)
{
	return views[view].sort;
}

bool view_is_stock(enum view view)
{
	return views[view].stock;
}

bool view_has(enum view view, enum column col)
{
	const struct view_column *at = views[view].columns;

	while (at->column != col && at->column != COLUMNS)
		at++;
	return at->column != COLUMNS;
}

/* From this width, sparklines fit beside the table. */
#define SPARK_FROM  100
#define SPARK_WIDTH 9

void layout_set(struct layout *layout, enum view view, int line)
{
	const struct view_column *at;
	int spare = line - (line < SPARK_FROM ? 0 : SPARK_WIDTH);

	*layout = (struct layout){ .end = -1 };
	for (at = views[view].columns; at->column != COLUMNS; at++) {
		if (line < at->from)
			continue;
		layout->column[layout->nr] = at->column;
		layout->width[layout->nr++] = column_width(at->column);
		layout->end += column_width(at->column) + 1;
	}
	spare -= layout->end;
	for (size_t i = 0; i < layout->nr && spare > 0; i++) {
		int more =
			column_max_width(layout->column[i]) - layout->width[i];

		if (more > spare)
			more = spare;
		layout->width[i] += more;
		layout->end += more;
		spare -= more;
	}
}
