// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <limits.h>
#include <string.h>
#include "view.h"

static const struct {
	const char *name;
	const char *title;
	enum column sort;
	bool stock;
} views[VIEWS] = {
	[VIEW_PROCESS] = { "process", "processes", COL_MAPS, true },
	[VIEW_IOAS] = { "ioas", "IOAS", COL_MAPS, false },
	[VIEW_HWPT] = { "hwpt", "page tables", COL_INVALIDATIONS, false },
	[VIEW_DEVICE] = { "device", "devices", COL_DEVICE, false },
	[VIEW_FAILURE] = { "failure", "failures", COL_COUNT, true },
	[VIEW_SIZE] = { "size", "sizes", COL_SIZE, true },
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
	return column_place(col, view, INT_MAX);
}

/* From this width, sparklines fit beside the table. */
#define SPARK_FROM  100
#define SPARK_WIDTH 9

/* Inserts a column after those with a lower place. */
static void insert_column(struct layout *layout, enum view view,
			  enum column col)
{
	int place = column_place(col, view, INT_MAX);
	size_t i = layout->nr++;

	for (; i && column_place(layout->column[i - 1], view, INT_MAX) > place;
	     i--)
		layout->column[i] = layout->column[i - 1];
	layout->column[i] = col;
}

/* Widens columns up to their maximum, and returns what is left of @spare. */
static int widen(struct layout *layout, int spare, bool whole)
{
	for (size_t i = 0; i < layout->nr && spare > 0; i++) {
		enum column col = layout->column[i];
		int more = column_max_width(col) - layout->width[i];

		if (column_is_whole(col) != whole)
			continue;
		if (more > spare)
			more = spare;
		layout->width[i] += more;
		layout->end += more;
		spare -= more;
	}
	return spare;
}

void layout_set(struct layout *layout, enum view view, int line)
{
	int spare = line - (line < SPARK_FROM ? 0 : SPARK_WIDTH);

	*layout = (struct layout){ .end = -1 };
	for (enum column col = 0; col < COLUMNS; col++)
		if (column_place(col, view, line))
			insert_column(layout, view, col);
	for (size_t i = 0; i < layout->nr; i++) {
		layout->width[i] = column_width(layout->column[i]);
		layout->end += layout->width[i] + 1;
	}
	spare -= layout->end;
	spare = widen(layout, spare, true);
	widen(layout, spare, false);
}
