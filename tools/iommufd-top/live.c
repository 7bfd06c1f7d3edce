// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The screen. Everything happens in one loop that waits for a key, a signal or
 * the next refresh; signals are let in only while it waits.
 */
#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/fmt.h"
#include "output.h"
#include "run.h"

#define MIN_COLS   80
#define MIN_LINES  10
#define TITLE_LINE 4
#define PROMPT_LEN 12
#define CTRL(key)  ((key) & 0x1f)

enum { COLOUR_ALARM = 1 };

static bool colours;

/**
 * struct screen - what the user sees and has chosen
 * @first: first row that is shown
 * @last_ns: when it last did tick()
 * @paused: the rows stay as they are, and the interval goes on
 * @prompting: keys go to @prompt, the new delay
 * @quit: the user has seen enough
 * @failed: the counters can't be read any more, which has been said
 * @notice: stands in the last line until the next key
 */
struct screen {
	struct collector *collector;
	struct options *options;
	const struct report *report;
	size_t first;
	long long last_ns;
	bool paused;
	bool help;
	bool prompting;
	bool quit;
	bool failed;
	char prompt[PROMPT_LEN];
	const char *notice;
};

static volatile sig_atomic_t ended;

static void on_end(int signal)
{
	(void)signal;
	ended = 1;
}

static int table_lines(void)
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
	if (x < COLS)
		mvaddnstr(y, x, text, COLS - x);
	attrset(A_NORMAL);
}

static void draw_summary(const struct screen *s)
{
	char line[LINE_LEN];
	int x;

	put(0, 0, A_BOLD, "iommufd-top");
	put(0, 12, A_NORMAL, summary_system(line, s->report));
	put(1, 0, A_NORMAL, summary_requests(line, s->report));
	x = snprintf(line, sizeof(line), "every %gs, sorted by %s%s",
		     s->options->delay, column_name(s->options->sort.column),
		     s->options->sort.reverse ? " (reversed)" : "");
	put(2, 0, A_NORMAL, line);
	if (s->paused)
		put(2, x + 2, A_BOLD, "PAUSED");
	if (!s->report->lost)
		return;
	snprintf(line, sizeof(line), "LOST %llu events", s->report->lost);
	put(2, COLS - strlen(line), alarm_attributes(), line);
}

/* The title of the column that sorts is the one not in reverse. */
static void draw_titles(const struct screen *s)
{
	char line[LINE_LEN];
	int x = 0;

	put(TITLE_LINE - 1, 0, A_NORMAL, line_of_groups(line, COLS));
	put(TITLE_LINE, 0, A_REVERSE, line_of_titles(line, 1, COLS));
	for (enum column col = 0; col < COLUMNS; col++) {
		int width = column_width(col, COLS);

		if (!width)
			continue;
		if (col == s->options->sort.column) {
			snprintf(line, sizeof(line), "%*s",
				 column_is_text(col) ? -width : width,
				 column_title(col, 1));
			put(TITLE_LINE, x, A_BOLD, line);
		}
		x += width + 1;
	}
}

static void draw_row(const struct screen *s, int y,
		     const struct row_report *row)
{
	char line[LINE_LEN], cell[CELL_LEN];
	__u64 interval = s->report->interval_ns;

	line_of_row(line, row, interval, COLS);
	put(y, 0, row->ended ? A_DIM : A_NORMAL, line);
	if (!row->op[TOP_MAP].failed && !row->op[TOP_UNMAP].failed)
		return;
	column_cell(cell, COL_FAILED, row, interval);
	put(y, strlen(line) - strlen(cell), alarm_attributes(), cell);
}

static void draw_table(struct screen *s)
{
	size_t lines = table_lines(), nr = s->report->nr;

	if (s->first + lines > nr)
		s->first = nr > lines ? nr - lines : 0;
	draw_titles(s);
	if (!nr)
		put(TITLE_LINE + 1, 0, A_NORMAL,
		    "Nothing has happened in iommufd since this was started.");
	for (size_t i = 0; i < lines && s->first + i < nr; i++)
		draw_row(s, TITLE_LINE + 1 + i, &s->report->rows[s->first + i]);
}

static void draw_help(void)
{
	static const char *const text[] = {
		"q          quit",
		"h ?        this help; any key goes back",
		"< >        sort by the column to the left, to the right (also arrows)",
		"r          reverse the order",
		"p space    pause: the screen stays, counting goes on",
		"d          change the time between refreshes",
		"up down    scroll, also page up and page down, home and end",
		"",
		"A row is an IOAS of a process, the one that created it. After COMMAND stands",
		"x  for an IOAS that ended in this interval.",
		"",
		"MAPPED bytes and PAGES pinned are as of now. MAP/s, UNM/s, latencies (half of",
		"the requests, 99%, and all took no longer) and FAIL are of the last interval;",
		"latencies are those of requests that succeeded: n, u, m, s are nano-, micro-,",
		"milliseconds and seconds.",
	};

	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
		put(TITLE_LINE - 1 + i, 0, A_NORMAL, text[i]);
}

static void draw_last_line(const struct screen *s)
{
	char line[LINE_LEN];

	if (s->prompting)
		snprintf(line, sizeof(line), "Seconds between refreshes: %s_",
			 s->prompt);
	else
		snprintf(line, sizeof(line), "%s",
			 s->notice ?:
				 "q quit  h help  < > sort column  r reverse  p pause  d delay");
	put(LINES - 1, 0, s->notice ? A_BOLD : A_NORMAL, line);
}

static void draw(struct screen *s)
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

static void sort(struct screen *s)
{
	sort_rows(s->report->rows, s->report->nr, &s->options->sort);
}

/* Columns that are not on the screen are stepped over. */
static void step_column(struct screen *s, int step)
{
	struct sort *by = &s->options->sort;

	do
		by->column = (by->column + COLUMNS + step) % COLUMNS;
	while (!column_width(by->column, COLS));
	sort(s);
}

static void scroll_by(struct screen *s, long lines)
{
	if (lines < 0 && s->first < (size_t)-lines)
		s->first = 0;
	else
		s->first += lines;
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Begins a new interval, or looks after the old one while paused. */
static void tick(struct screen *s)
{
	s->last_ns = now_ns();
	if (s->paused) {
		s->failed = collect_sync(s->collector);
		return;
	}
	s->report = collect_report(s->collector);
	if (s->report)
		sort(s);
	else
		s->failed = true;
}

static void on_prompt_key(struct screen *s, int key)
{
	size_t used = strlen(s->prompt);

	switch (key) {
	case '\n':
	case '\r':
	case KEY_ENTER:
		s->prompting = false;
		if (used && !delay_parse(s->prompt, &s->options->delay))
			s->notice =
				"The delay must be from 0.01 to 86400 seconds";
		return;
	case KEY_BACKSPACE:
	case CTRL('h'):
	case 0x7f:
		if (used)
			s->prompt[used - 1] = '\0';
		return;
	case CTRL('['):
		s->prompting = false;
		return;
	}
	if (((key >= '0' && key <= '9') || key == '.') && used + 1 < PROMPT_LEN)
		s->prompt[used] = key;
}

static void on_key(struct screen *s, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		s->quit = true;
		break;
	case 'h':
	case '?':
		s->help = true;
		break;
	case '<':
	case ',':
	case KEY_LEFT:
		step_column(s, -1);
		break;
	case '>':
	case '.':
	case KEY_RIGHT:
		step_column(s, 1);
		break;
	case 'r':
		s->options->sort.reverse = !s->options->sort.reverse;
		sort(s);
		break;
	case 'p':
	case ' ':
		s->paused = !s->paused;
		if (!s->paused)
			tick(s);
		break;
	case 'd':
		memset(s->prompt, 0, sizeof(s->prompt));
		s->prompting = true;
		break;
	case KEY_UP:
	case 'k':
		scroll_by(s, -1);
		break;
	case KEY_DOWN:
	case 'j':
		scroll_by(s, 1);
		break;
	case KEY_PPAGE:
		scroll_by(s, -table_lines());
		break;
	case KEY_NPAGE:
		scroll_by(s, table_lines());
		break;
	case KEY_HOME:
		s->first = 0;
		break;
	case KEY_END:
		scroll_by(s, s->report->nr);
		break;
	case CTRL('l'):
		clearok(stdscr, TRUE);
		break;
	}
}

static void dispatch_key(struct screen *s, int key)
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

/* Waits for a key, a signal or @when. False when the terminal is gone. */
static bool wait_until(long long when, const sigset_t *let_in)
{
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
	long long left = when - now_ns();
	struct timespec ts;

	if (left < 0)
		left = 0;
	ts.tv_sec = left / 1000000000;
	ts.tv_nsec = left % 1000000000;
	if (ppoll(&keys, 1, &ts, let_in) < 0)
		return errno == EINTR;
	return !(keys.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void loop(struct screen *s, const sigset_t *let_in)
{
	unsigned long left = s->options->count;
	int key;

	tick(s);
	while (!s->quit && !s->failed && !ended) {
		draw(s);
		if (!wait_until(s->last_ns + s->options->delay * 1e9, let_in))
			return;
		while (!s->quit && !s->failed && (key = getch()) != ERR)
			dispatch_key(s, key);
		/* A new delay counts from the last refresh. */
		if (now_ns() < s->last_ns + s->options->delay * 1e9)
			continue;
		tick(s);
		if (left && !s->paused && !--left)
			s->quit = true;
	}
}

static SCREEN *open_screen(void)
{
	const char *no_color = getenv("NO_COLOR");
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (!screen)
		return NULL;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	colours = has_colors() && !(no_color && *no_color);
	if (colours) {
		start_color();
		use_default_colors();
		init_pair(COLOUR_ALARM, COLOR_RED, -1);
	}
	return screen;
}

static void catch_end(sigset_t *caught)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = on_end };

	sigemptyset(caught);
	/* ncurses notes a new size in its own handler. */
	sigaddset(caught, SIGWINCH);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		sigaddset(caught, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
}

int run_live(struct collector *c, struct options *options)
{
	struct screen s = { .collector = c, .options = options };
	sigset_t caught, let_in;
	SCREEN *screen;

	screen = open_screen();
	if (!screen) {
		err_say("can't use this terminal (TERM is '%s')",
			getenv("TERM") ?: "");
		err_advise("Set TERM to its type, or use --batch.");
		return EXIT_FAILURE;
	}
	catch_end(&caught);
	sigprocmask(SIG_BLOCK, &caught, &let_in);
	loop(&s, &let_in);
	endwin();
	delscreen(screen);
	return s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
