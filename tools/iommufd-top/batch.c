// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../lib/command.h"
#include "../lib/err.h"
#include "../lib/loop.h"
#include "output.h"
#include "run.h"

/* poll() events when the reader of a pipe is gone. */
#define GONE (POLLERR | POLLHUP | POLLNVAL)

enum event {
	NOTHING,
	SIGNAL,
	READER_GONE,
};

/* Signals are read from a file descriptor, so that they interrupt nothing. */
static int begin_to_wait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Seconds on the clock that delays are measured with. */
static double now(void)
{
	return loop_clock(CLOCK_MONOTONIC) / 1e9;
}

/*
 * Waits until @when and returns what happened. @out is only watched for its
 * end.
 */
static enum event wait_until(double when, int signals, int out,
			     struct signalfd_siginfo *info)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = out },
	};
	struct timespec ts;
	double left;

	do {
		left = when - now();
		if (left < 0)
			left = 0;
		ts.tv_sec = left;
		ts.tv_nsec = (left - ts.tv_sec) * 1e9;
	} while (ppoll(fds, 2, &ts, NULL) < 0 && errno == EINTR);
	if (fds[0].revents && read(signals, info, sizeof(*info)) > 0)
		return SIGNAL;
	return fds[1].revents & GONE ? READER_GONE : NOTHING;
}

static FILE *open_output(const struct options *options)
{
	FILE *out = stdout;

	if (options->output)
		out = fopen(options->output, "we");
	if (!out)
		err_say("can't write %s: %s", options->output, strerror(errno));
	return out;
}

/* A closed pipe is not an error. Returns false to end the program. */
static bool print(FILE *out, const struct source *source,
		  const struct options *options, int *status)
{
	const struct report *report = source->report();
	struct table rows = {};
	struct scope everything = {};

	*status = EXIT_FAILURE;
	if (!report)
		return false;
	select_rows(&rows, report, options->view, &everything, options->filter,
		    &options->sort);
	if (options->common.json)
		print_json(out, report, options->view, &rows);
	else
		print_text(out, report, options->view, &rows, options->command);
	table_free(&rows);
	if (!fflush(out) && !ferror(out)) {
		*status = EXIT_SUCCESS;
		return true;
	}
	if (errno == EPIPE)
		*status = EXIT_SUCCESS;
	else
		err_say("can't write: %s", strerror(errno));
	return false;
}

int run_batch(const struct source *source, const struct options *options)
{
	unsigned long left = options->count;
	struct signalfd_siginfo info;
	int status, signals;
	double next = now();
	FILE *out;

	out = open_output(options);
	if (!out)
		return EXIT_FAILURE;
	signals = begin_to_wait();
	do {
		next += options->delay;
		if (wait_until(next, signals, fileno(out), &info) != NOTHING)
			return EXIT_SUCCESS;
	} while (print(out, source, options, &status) && (!left || --left));
	return status;
}

/*
 * Ctrl-C at the terminal also reaches the command. A signal that was sent only
 * to this process is meant for the command.
 */
static int await(const struct source *source, pid_t pid, int signals)
{
	struct signalfd_siginfo info;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		/* Ignore the state of its output: -1 is not a file. */
		if (wait_until(now() + 1, signals, -1, &info) == SIGNAL &&
		    info.ssi_signo != SIGCHLD && info.ssi_code <= 0)
			kill(pid, info.ssi_signo);
		/* Rows of objects that are gone must not fill the maps. */
		if (!source->sync())
			return -1;
	}
	return status;
}

int run_command(const struct source *source, const struct options *options)
{
	int err, command, signals, status;
	FILE *out;
	pid_t pid;

	out = open_output(options);
	if (!out)
		return EXIT_FAILURE;
	signals = begin_to_wait();
	err = command_start(options->command, STDOUT_FILENO, &pid);
	if (err)
		return err;
	command = await(source, pid, signals);
	if (command < 0 || (!print(out, source, options, &status) && status))
		return EXIT_FAILURE;
	return command_status(command);
}
