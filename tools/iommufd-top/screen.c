// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include "../lib/operation.h"
#include "print.h"
#include "screen.h"

enum { COLOUR_ALARM = 1 };

/* Width of a sparkline of totals: four of them fit into 80 columns. */
#define TOTAL_WIDTH 8

static bool colours;

void screen_colours(bool wanted)
{
	colours = wanted && has_colors();
	if (!colours)
		return;
	start_color();
	use_default_colors();
	init_pair(COLOUR_ALARM, COLOR_RED, -1);
}

int screen_rows(void)
{
	return LINES - TITLE_LINE - 2;
}

static attr_t alarm_attributes(void)
{
	return A_BOLD | (colours ? COLOR_PAIR(COLOUR_ALARM) : 0);
}

static void put(int y, int x, attr_t attributes, const char *text)
{
	attrset(attributes);
	if (x >= 0 && x < COLS)
		mvaddnstr(y, x, text, COLS - x);
	attrset(A_NORMAL);
}

/* Prints without a width: the text may have multibyte characters. */
static void put_spark(int y, int x, const char *text)
{
	mvaddstr(y, x, text);
}

static void put_right(int y, attr_t attributes, const char *text)
{
	put(y, COLS - strlen(text), attributes, text);
}

static void draw_totals(const struct screen *s)
{
	char spark[SPARK_LEN];
	int x = 0;

	for (int op = 0; op <= OPS; op++) {
		const char *title = op < OPS ? operation_names[op].sparkline :
					       "failed";

		if (!title)
			continue;
		put(2, x, A_DIM, title);
		x += strlen(title) + 1;
		put_spark(2, x,
			  history_total(spark, s->history, op, TOTAL_WIDTH));
		x += TOTAL_WIDTH + 1;
	}
}

static void draw_tabs(const struct screen *s)
{
	char tab[32];
	int x = 0;

	for (int view = 0; view < VIEWS; view++) {
		bool here = view == (int)s->at.view;

		snprintf(tab, sizeof(tab), "%d %s", view + 1, view_title(view));
		put(4, x, here ? A_BOLD | A_UNDERLINE : A_NORMAL, tab);
		x += strlen(tab) + 2;
	}
}

static void draw_summary(const struct screen *s)
{
	const struct sort *sort = &s->sort[s->at.view];
	char line[LINE_LEN];

	put(0, 0, A_BOLD, "iommufd-top");
	put(0, 12, A_NORMAL, summary_system(line, s->model));
	put(1, 0, A_NORMAL, summary_requests(line, s->model));
	draw_totals(s);
	if (s->model->lost) {
		snprintf(line, sizeof(line), "LOST %llu events",
			 s->model->lost);
		put_right(1, alarm_attributes(), line);
	}
	if (s->paused)
		put_right(2, A_BOLD, "PAUSED");
	put(3, 0, A_NORMAL, summary_cost(line, s->model));
	snprintf(line, sizeof(line), "every %gs, by %s%s", s->options->delay,
		 column_name(sort->column), sort->reverse ? " reversed" : "");
	put_right(3, A_NORMAL, line);
	draw_tabs(s);
}

/* Writes the scope of a level to a line and returns its length. */
static size_t put_level(char *line, const struct level *level)
{
	const struct scope *scope = &level->scope;
	int at = 0;

	if (scope->ioas)
		at = sprintf(line, "of IOAS %u ", scope->ioas);
	else if (scope->ctx)
		at = sprintf(line, "of page table %u ", scope->hwpt);
	return at + sprintf(line + at, "of %s (%u)", level->comm, scope->pid);
}

/* Draws the scope of the view, in the space left of the groups of columns. */
static void draw_scope(const struct screen *s, const struct layout *layout)
{
	char line[LINE_LEN], groups[LINE_LEN];
	bool filtered = s->options->filter[0];
	size_t room, at = 0;

	line_of_groups(groups, layout);
	put(TITLE_LINE - 1, 0, A_NORMAL, groups);
	room = strspn(groups, " ");
	if (!s->depth && !filtered)
		return;
	if (s->depth)
		at = put_level(line, &s->at);
	if (filtered)
		snprintf(line + at, sizeof(line) - at,
			 at ? ", with '%s'" : "with '%s'", s->options->filter);
	if (room && room <= strlen(line))
		line[room - 1] = '\0';
	put(TITLE_LINE - 1, 0, A_BOLD, line);
}

/* The title of the sort column is the only one not in reverse video. */
static void draw_titles(const struct screen *s, const struct layout *layout)
{
	char line[LINE_LEN];
	int x = 0;

	put(TITLE_LINE, 0, A_REVERSE, line_of_titles(line, layout, 1));
	for (size_t i = 0; i < layout->nr; i++) {
		enum column col = layout->column[i];
		int width = layout->width[i];

		if (col == s->sort[s->at.view].column) {
			snprintf(line, sizeof(line), "%*s",
				 column_is_text(col) ? -width : width,
				 column_title(col, 1));
			put(TITLE_LINE, x, A_BOLD, line);
		}
		x += width + 1;
	}
}

static void draw_row(const struct screen *s, const struct layout *layout, int y,
		     const struct entry *row, bool current)
{
	attr_t attributes = row->ended ? A_DIM : A_NORMAL, mark;
	char line[LINE_LEN], cell[CELL_LEN], spark[SPARK_LEN];
	int x = 0, room = COLS - layout->end - 1;
	__u64 interval = s->model->interval_ns;

	mark = current ? A_REVERSE : 0;
	put(y, 0, attributes | mark, line_of_row(line, layout, row, interval));
	for (size_t i = 0; i < layout->nr; i++) {
		int width = layout->width[i];

		if (column_is_alarm(layout->column[i], row)) {
			const char *text = column_cell(cell, layout->column[i],
						       row, interval);

			put(y, x + width - strlen(text),
			    alarm_attributes() | mark, text);
		}
		x += width + 1;
	}
	if (room >= TOTAL_WIDTH && s->at.view != VIEW_SIZE)
		put_spark(y, layout->end + 1,
			  history_row(spark, s->history, s->at.view, row,
				      room < HISTORY_LEN ? TOTAL_WIDTH :
							   HISTORY_LEN));
}

/* Whether the view is of an IOAS whose mappings are older than this program. */
static bool is_late(const struct screen *s)
{
	const struct table *ioas = &s->model->table[VIEW_IOAS];
	const struct scope *scope = &s->at.scope;

	for (size_t i = 0; i < ioas->nr; i++)
		if (ioas->entries[i].ctx == scope->ctx &&
		    ioas->entries[i].ioas == scope->ioas)
			return ioas->entries[i].late && ioas->entries[i].areas;
	return false;
}

static const char *why_empty(const struct screen *s)
{
	if (!s->model->state && !view_is_stock(s->at.view))
		return NOT_OF_STOCK;
	if (s->options->filter[0])
		return "No row contains that text.";
	if (s->at.view == VIEW_FAILURE)
		return s->model->stock ?
			       "Nothing has failed since iommufd-top was started." :
			       "Nothing has failed since this table was first opened.";
	if (s->at.view == VIEW_SIZE && is_late(s))
		return "Its mappings are older than iommufd-top: their sizes are not known.";
	if (s->depth || s->options->common.pid)
		return "Nothing left to show.";
	return s->at.view == VIEW_SIZE ?
		       "Nothing has been mapped since iommufd-top was started." :
		       "Nothing to show.";
}

static void draw_table(struct screen *s)
{
	size_t lines = screen_rows(), nr = s->rows.nr;
	struct layout layout;

	if (s->cursor < s->first)
		s->first = s->cursor;
	if (s->cursor >= s->first + lines)
		s->first = s->cursor - lines + 1;
	if (s->first + lines > nr)
		s->first = nr > lines ? nr - lines : 0;
	layout_set(&layout, s->at.view, COLS);
	draw_scope(s, &layout);
	draw_titles(s, &layout);
	if (!nr)
		put(TITLE_LINE + 1, 0, A_NORMAL, why_empty(s));
	for (size_t i = s->first; i < nr && i < s->first + lines; i++)
		draw_row(s, &layout, TITLE_LINE + 1 + i - s->first,
			 &s->rows.entries[i], i == s->cursor);
}

static void draw_help(void)
{
	static const char *const text[] = {
		"1 to 6, Tab   another table          Enter right   into the marked row",
		"up down       mark another row       Left Esc Bksp back",
		"< > s         sort by another column r             reverse the order",
		"/             only rows with a text  p space       pause; counting continues",
		"d             change the delay       q             quit; h ? any key: help",
		"",
		"A process leads to its IOAS; an IOAS or a device to the sizes of its mappings;",
		"a page table to its devices; a failure to the process that caused the last one.",
		"",
	};

	char line[LINE_LEN];
	int y = TITLE_LINE - 1;

	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
		put(y++, 0, A_NORMAL, text[i]);
	for (size_t i = 0; column_help(line, sizeof(line), i); i++)
		put(y++, 0, A_NORMAL, line);
}

/* Describes the last failure in full, which does not fit the table. */
static void tell_failure(char *line, const struct entry *row)
{
	char request[CELL_LEN], numbers[CELL_LEN], error[CELL_LEN];

	snprintf(line, LINE_LEN, "%s: %s of %s (%u): %s, %s%s%s", row->name,
		 column_cell(request, COL_REQUEST, row, 1), row->comm, row->pid,
		 column_cell(error, COL_ERRNO, row, 1),
		 column_cell(numbers, COL_NUMBERS, row, 1),
		 row->last.policy[0] ? ", policy " : "", row->last.policy);
}

static void draw_last_line(const struct screen *s)
{
	static const char hints[] =
		"q quit  h help  1-6 Tab table  Enter in  Esc back  < > sort  / filter  p pause";
	char line[LINE_LEN];

	if (s->prompting)
		snprintf(line, sizeof(line), "%s: %s_",
			 s->prompting == PROMPT_DELAY ?
				 "Seconds between refreshes" :
				 "Only rows with",
			 s->prompt);
	else if (s->notice)
		snprintf(line, sizeof(line), "%s", s->notice);
	else if (s->at.view == VIEW_FAILURE && s->moved && !s->help &&
		 s->cursor < s->rows.nr)
		tell_failure(line, &s->rows.entries[s->cursor]);
	else
		strcpy(line, hints);
	put(LINES - 1, 0, s->notice ? A_BOLD : A_NORMAL, line);
}

void screen_draw(struct screen *s)
{
	char line[LINE_LEN];

	erase();
	if (COLS < MIN_COLS || LINES < MIN_LINES) {
		snprintf(line, sizeof(line), "%dx%d is too small: %dx%d needed",
			 COLS, LINES, MIN_COLS, MIN_LINES);
		put(0, 0, A_NORMAL, line);
	} else {
		draw_summary(s);
		if (s->help)
			draw_help();
		else
			draw_table(s);
		draw_last_line(s);
	}
	refresh();
}
