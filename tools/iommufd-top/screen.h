/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* State of the user interface; changed by keys.c, drawn by screen.c. */
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
 * struct level - the current position of the user
 * @scope: empty at the top
 * @comm: name of the process in @scope
 */
struct level {
	enum view view;
	struct scope scope;
	char comm[TOP_COMM_LEN];
};

/**
 * struct screen - state of the screen
 * @rows: the rows of the model that are shown
 * @at: current position of the user
 * @above: previous positions, @depth of them
 * @sort: by view
 * @first: first row on the screen
 * @cursor: the selected row
 * @moved: the user has moved the cursor, so that it stays with its row
 * @current: that row
 * @last_ns: time of the last screen_tick()
 * @paused: the rows are frozen, and the interval continues
 * @prompting: keys go to @prompt
 * @quit: the user has quit
 * @failed: reading the counters failed, which has been reported
 * @notice: text in the last line until the next key
 */
struct screen {
	const struct source *source;
	struct options *options;
	const struct model *model;
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

/* Enables colours if possible; to be called when the terminal is open. */
void screen_colours(bool wanted);
void screen_draw(struct screen *s);

/* Number of table rows that fit on the screen. */
int screen_rows(void);

/* Filters rows after a new model or a change by the user. */
void screen_filter(struct screen *s);

/* Handles a key. */
void screen_key(struct screen *s, int key);

/* Starts a new interval, or only updates the old one while paused. */
void screen_tick(struct screen *s);

#endif
