// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The interactive screen. A single loop waits for a key, a signal or the next
 * refresh; signals are blocked except while it waits.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/loop.h"
#include "run.h"
#include "screen.h"

static volatile sig_atomic_t ended;

static void on_end(int signal)
{
	(void)signal;
	ended = 1;
}

static long long now_ns(void)
{
	return loop_clock(CLOCK_MONOTONIC);
}

/*
 * Waits for a key, a signal or @when. Returns false when the terminal is gone.
 */
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

	screen_tick(s);
	while (!s->quit && !s->failed && !ended) {
		screen_draw(s);
		if (!wait_until(s->last_ns + s->options->delay * 1e9, let_in))
			return;
		while (!s->quit && !s->failed && (key = getch()) != ERR)
			screen_key(s, key);
		/* A new delay starts at the last refresh. */
		if (now_ns() < s->last_ns + s->options->delay * 1e9)
			continue;
		screen_tick(s);
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
	screen_colours(!(no_color && *no_color));
	return screen;
}

static void catch_end(sigset_t *caught)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = on_end };

	sigemptyset(caught);
	/* ncurses handles a new size in its own signal handler. */
	sigaddset(caught, SIGWINCH);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		sigaddset(caught, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
}

int run_live(const struct source *source, struct options *options)
{
	struct screen s = {
		.source = source,
		.options = options,
		.at.view = options->view,
	};
	sigset_t caught, let_in;
	SCREEN *screen;

	screen = open_screen();
	if (!screen) {
		err_say("can't use this terminal (TERM is '%s')",
			getenv("TERM") ?: "");
		err_advise("Set TERM to its type, or use --batch.");
		return EXIT_FAILURE;
	}
	for (enum view view = 0; view < VIEWS; view++)
		s.sort[view].column = view_sort(view);
	s.sort[options->view] = options->sort;
	s.history = history_open();
	catch_end(&caught);
	sigprocmask(SIG_BLOCK, &caught, &let_in);
	loop(&s, &let_in);
	endwin();
	delscreen(screen);
	history_close(s.history);
	table_free(&s.rows);
	return s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
