/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the user sees and has chosen; changed by keys.c, drawn by screen.c. */
#ifndef __SCREEN_H
#define __SCREEN_H

#include <ncurses.h>
#include "history.h"
#include "options.h"
#include "source.h"

#define MIN_COLS   80
#define MIN_LINES  10
#define TITLE_LINE 6
#define PROMPT_LEN FILTER_LEN
#define MAX_DEPTH  8

enum prompt {
	PROMPT_NONE,
	PROMPT_DELAY,
	PROMPT_FILTER,
};

/**
 * struct level - where the user is
 * @of: what @scope is, in words
 */
struct level {
	enum view view;
	struct scope scope;
	char of[96];
};

/**
 * struct screen - all of it
 * @rows: the rows of the report that are shown
 * @at: where the user is
 * @above: where he came from, @depth
 * @sort: by view
 * @first: first row that is shown
 * @cursor: the row that a key is about
 * @moved: the cursor was moved, and stays with its row
 * @current: that row
 * @last_ns: when it last did tick()
 * @paused: the rows stay as they are, and the interval goes on
 * @prompting: keys go to @prompt
 * @quit: the user has seen enough
 * @failed: the counters can't be read any more, which has been said
 * @notice: stands in the last line until the next key
 */
struct screen {
	const struct source *source;
	struct options *options;
	const struct report *report;
	struct table rows;
	struct history *history;
	struct level at;
	struct level above[MAX_DEPTH];
	size_t depth;
	struct sort sort[VIEWS];
	size_t first;
	size_t cursor;
	bool moved;
	struct entry current;
	long long last_ns;
	bool paused;
	bool help;
	enum prompt prompting;
	bool quit;
	bool failed;
	char prompt[PROMPT_LEN];
	const char *notice;
};

/* Whether colours may be used; to be called when the terminal is open. */
void screen_colours(bool wanted);
void screen_draw(struct screen *s);

/* Rows of the table that fit. */
int screen_rows(void);

/* Takes the rows anew: of another report, or because something was chosen. */
void screen_select(struct screen *s);

/* Does what a key asks for. */
void screen_key(struct screen *s, int key);

/* Begins a new interval, or looks after the old one while paused. */
void screen_tick(struct screen *s);

#endif
