// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include "view.h"

/* Puts the words that fit, and a + for the rest. */
static int put_words(char *at, int width, const char *text, char gap)
{
	int fits = width;

	while (fits && text[fits] != ' ')
		fits--;
	/* Without room for " +", it is next to the last word. */
	if (fits > width - 2)
		return sprintf(at, "%.*s%*s%c", fits, text, width - fits, "+",
			       gap);
	return sprintf(at, "%.*s %-*s%c", fits, text, width - fits - 1, "+",
		       gap);
}

static int put_cell(char *at, const struct layout *layout, size_t i, char gap,
		    const char *text)
{
	int width = layout->width[i];

	if (column_is_whole(layout->column[i]) && strlen(text) > (size_t)width)
		return put_words(at, width, text, gap);
	/* A name may be truncated, a number never. */
	if (column_is_text(layout->column[i]))
		return sprintf(at, "%-*.*s%c", width, width, text, gap);
	return sprintf(at, "%*s%c", width, text, gap);
}

const char *line_of_titles(char *buf, const struct layout *layout,
			   __u64 interval_ns)
{
	char *at = buf;

	for (size_t i = 0; i < layout->nr; i++)
		at += put_cell(at, layout, i, ' ',
			       column_title(layout->column[i], interval_ns));
	at[-1] = '\0';
	return buf;
}

const char *line_of_row(char *buf, const struct layout *layout,
			const struct entry *row, __u64 interval_ns)
{
	char cell[CELL_LEN], *at = buf;

	for (size_t i = 0; i < layout->nr; i++) {
		enum column col = layout->column[i];
		bool marked = col == COL_COMMAND && row->ended;

		at += put_cell(at, layout, i, marked ? 'x' : ' ',
			       column_cell(cell, col, row, interval_ns));
	}
	at[-1] = '\0';
	return buf;
}

/* -map-----, as wide as the columns below it. */
static void put_group(char *at, const char *name, int width)
{
	memset(at, '-', width);
	memcpy(at + 1, name, strlen(name));
}

const char *line_of_groups(char *buf, const struct layout *layout)
{
	int at = 0, end;

	memset(buf, ' ', layout->end);
	buf[layout->end] = '\0';
	for (size_t i = 0; i < layout->nr; at = end + 1) {
		const char *group = column_group(layout->column[i]);

		end = at + layout->width[i++];
		if (!group)
			continue;
		for (; i < layout->nr; i++) {
			const char *next = column_group(layout->column[i]);

			if (!next || strcmp(next, group))
				break;
			end += 1 + layout->width[i];
		}
		put_group(buf + at, group, end - at);
	}
	return buf;
}
