// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include <time.h>
#include "../lib/loop.h"
#include "screen.h"

#define CTRL(key) ((key) & 0x1f)
#define ESCAPE	  CTRL('[')
#define DELETE	  0x7f

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->pid == b->pid && a->ctx == b->ctx && a->ioas == b->ioas &&
	       a->hwpt == b->hwpt && a->device == b->device &&
	       a->reason == b->reason && a->size_min == b->size_min;
}

void screen_filter(struct screen *s)
{
	const struct table *rows = &s->rows;

	filter_rows(&s->rows, s->model, s->at.view, &s->at.scope,
		    s->options->filter, &s->sort[s->at.view]);
	for (size_t i = 0; s->moved && i < rows->nr; i++)
		if (is_same(&rows->entries[i], &s->current))
			s->cursor = i;
	if (s->cursor >= rows->nr)
		s->cursor = rows->nr ? rows->nr - 1 : 0;
}

void screen_tick(struct screen *s)
{
	s->last_ns = loop_clock(CLOCK_MONOTONIC);
	if (s->paused) {
		s->failed = !s->source->sync();
		return;
	}
	s->model = s->source->read();
	if (!s->model) {
		s->failed = true;
		return;
	}
	history_take(s->history, s->model);
	screen_filter(s);
}

static void go_to_top(struct screen *s)
{
	s->first = 0;
	s->cursor = 0;
	s->moved = false;
	screen_filter(s);
}

static void move_cursor(struct screen *s, long lines)
{
	size_t nr = s->rows.nr;

	if (!nr)
		return;
	if (lines < 0 && s->cursor < (size_t)-lines)
		s->cursor = 0;
	else
		s->cursor += lines;
	if (s->cursor >= nr)
		s->cursor = nr - 1;
	s->current = s->rows.entries[s->cursor];
	s->moved = true;
}

/* Shows a table of all processes, or of the one that the user has selected. */
static void show_view(struct screen *s, enum view view)
{
	const struct scope of_process = { .pid = s->at.scope.pid };

	if (view == VIEW_FAILURE && !s->source->watch_failures()) {
		s->failed = true;
		return;
	}
	s->at.view = view;
	s->at.scope = of_process;
	go_to_top(s);
}

/* Copies the name from the row: the next selection frees it. */
static void go_in(struct screen *s, enum view view, const struct scope *scope,
		  const struct entry *row)
{
	struct level *at = &s->at;

	if (s->depth == MAX_DEPTH)
		return;
	s->above[s->depth++] = *at;
	at->view = view;
	at->scope = *scope;
	memcpy(at->comm, row->comm, sizeof(at->comm));
	go_to_top(s);
}

static void go_into_row(struct screen *s)
{
	const struct entry *row = s->rows.entries + s->cursor;
	struct scope scope = {};

	if (!s->rows.nr)
		return;
	scope.pid = row->pid;
	switch (s->at.view) {
	case VIEW_PROCESS:
		go_in(s, s->model->state ? VIEW_IOAS : VIEW_SIZE, &scope, row);
		return;
	case VIEW_FAILURE:
		go_in(s, VIEW_PROCESS, &scope, row);
		return;
	case VIEW_HWPT:
		scope.ctx = row->ctx;
		scope.hwpt = row->hwpt;
		go_in(s, VIEW_DEVICE, &scope, row);
		return;
	case VIEW_IOAS:
	case VIEW_DEVICE:
		/* System calls don't tell the IOAS: sizes are by process. */
		if (!s->model->stock) {
			scope.ctx = row->ctx;
			scope.ioas = row->ioas;
		}
		if (row->ioas)
			go_in(s, VIEW_SIZE, &scope, row);
		else
			s->notice = "Its IOAS is not known.";
		return;
	default:
		s->notice = "There is nothing below sizes.";
	}
}

static void go_back(struct screen *s)
{
	if (s->options->filter[0]) {
		s->options->filter[0] = '\0';
	} else if (s->depth) {
		s->at = s->above[--s->depth];
	} else {
		s->notice = "This is the top: q quits.";
		return;
	}
	go_to_top(s);
}

/* Skips columns that are not on the screen. */
static void step_column(struct screen *s, int step)
{
	struct sort *by = &s->sort[s->at.view];
	struct layout layout;
	size_t i = 0;

	layout_set(&layout, s->at.view, COLS);
	while (i < layout.nr && layout.column[i] != by->column)
		i++;
	by->column = layout.column[(i + layout.nr + step) % layout.nr];
	screen_filter(s);
}

static void ask(struct screen *s, enum prompt what)
{
	memset(s->prompt, 0, sizeof(s->prompt));
	s->prompting = what;
}

static void answer(struct screen *s)
{
	enum prompt what = s->prompting;

	s->prompting = PROMPT_NONE;
	if (what == PROMPT_FILTER) {
		strcpy(s->options->filter, s->prompt);
		go_to_top(s);
	} else if (*s->prompt &&
		   !loop_parse_interval(s->prompt, &s->options->delay)) {
		s->notice = "The delay must be from 0.01 to 86400 seconds";
	}
}

static bool is_wanted(enum prompt what, int key)
{
	if (what == PROMPT_FILTER)
		return key >= ' ' && key <= '~';
	return (key >= '0' && key <= '9') || key == '.';
}

static void on_prompt_key(struct screen *s, int key)
{
	size_t used = strlen(s->prompt);

	switch (key) {
	case '\n':
	case '\r':
	case KEY_ENTER:
		answer(s);
		return;
	case KEY_BACKSPACE:
	case CTRL('h'):
	case DELETE:
		if (used)
			s->prompt[used - 1] = '\0';
		return;
	case ESCAPE:
		s->prompting = PROMPT_NONE;
		return;
	}
	if (is_wanted(s->prompting, key) && used + 1 < PROMPT_LEN)
		s->prompt[used] = key;
}

static void on_moving_key(struct screen *s, int key)
{
	switch (key) {
	case KEY_UP:
	case 'k':
		move_cursor(s, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move_cursor(s, 1);
		break;
	case KEY_PPAGE:
		move_cursor(s, -screen_rows());
		break;
	case KEY_NPAGE:
		move_cursor(s, screen_rows());
		break;
	case KEY_HOME:
	case 'g':
		go_to_top(s);
		break;
	case KEY_END:
	case 'G':
		move_cursor(s, s->rows.nr);
		break;
	case '\t':
		show_view(s, (s->at.view + 1) % VIEWS);
		break;
	case KEY_BTAB:
		show_view(s, (s->at.view + VIEWS - 1) % VIEWS);
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
	case KEY_RIGHT:
		go_into_row(s);
		break;
	case ESCAPE:
	case KEY_LEFT:
	case KEY_BACKSPACE:
	case CTRL('h'):
	case DELETE:
		go_back(s);
		break;
	}
	if (key >= '1' && key < '1' + VIEWS)
		show_view(s, key - '1');
}

static void on_key(struct screen *s, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
	case KEY_F(10):
		s->quit = true;
		break;
	case 'h':
	case '?':
	case KEY_F(1):
		s->help = true;
		break;
	case '<':
	case ',':
	case 'S':
		step_column(s, -1);
		break;
	case '>':
	case '.':
	case 's':
	case KEY_F(6):
		step_column(s, 1);
		break;
	case 'r':
		s->sort[s->at.view].reverse = !s->sort[s->at.view].reverse;
		screen_filter(s);
		break;
	case 'p':
	case ' ':
		s->paused = !s->paused;
		if (!s->paused)
			screen_tick(s);
		break;
	case 'd':
		ask(s, PROMPT_DELAY);
		break;
	case '/':
	case KEY_F(4):
		ask(s, PROMPT_FILTER);
		break;
	case CTRL('l'):
		clearok(stdscr, TRUE);
		break;
	default:
		on_moving_key(s, key);
	}
}

void screen_key(struct screen *s, int key)
{
	if (key == KEY_RESIZE)
		return;
	s->notice = NULL;
	if (s->prompting)
		on_prompt_key(s, key);
	else if (s->help && key != 'q')
		s->help = false;
	else
		on_key(s, key);
}
