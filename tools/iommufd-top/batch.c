// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../lib/err.h"
#include "output.h"
#include "run.h"

extern char **environ;

/* Signals are waited for, never handled, so that nothing is interrupted. */
static sigset_t awaited(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	return set;
}

/* Seconds on the clock that the delays are counted on. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Waits until @when; the signal that came before, or 0. */
static int wait_until(double when, siginfo_t *info)
{
	sigset_t set = awaited();
	struct timespec ts;
	double left;
	int signal;

	do {
		left = when - now();
		if (left < 0)
			left = 0;
		ts.tv_sec = left;
		ts.tv_nsec = (left - ts.tv_sec) * 1e9;
		signal = sigtimedwait(&set, info, &ts);
	} while (signal < 0 && errno == EINTR);
	return signal < 0 ? 0 : signal;
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

/* A reader that has seen enough is no error. False ends the program. */
static bool print(FILE *out, struct collector *c, const struct options *options,
		  int *status)
{
	const struct report *report = collect_report(c);

	*status = EXIT_FAILURE;
	if (!report)
		return false;
	sort_rows(report->rows, report->nr, &options->sort);
	if (options->json)
		print_json(out, report);
	else
		print_text(out, report, options->command);
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

int run_batch(struct collector *c, const struct options *options)
{
	unsigned long left = options->count;
	sigset_t set = awaited();
	double next = now();
	siginfo_t info;
	int status;
	FILE *out;

	out = open_output(options);
	if (!out)
		return EXIT_FAILURE;
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	do {
		next += options->delay;
		if (wait_until(next, &info))
			return EXIT_SUCCESS;
	} while (print(out, c, options, &status) && (!left || --left));
	return status;
}

static int start(char **command, pid_t *pid)
{
	posix_spawnattr_t attr;
	sigset_t all, none;
	int err;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	err = posix_spawnp(pid, *command, NULL, &attr, command, environ);
	posix_spawnattr_destroy(&attr);
	if (err)
		err_say("can't run %s: %s", *command, strerror(err));
	return err;
}

/* What a shell would say. */
static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/*
 * Ctrl-C at the terminal reaches the command as it does us. What was sent to us
 * alone is meant for it.
 */
static int await(struct collector *c, pid_t pid)
{
	siginfo_t info;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		int signal = wait_until(now() + 1, &info);

		if (signal && signal != SIGCHLD && info.si_code <= 0)
			kill(pid, signal);
		/* What it has closed must not fill the maps. */
		if (collect_sync(c))
			return -1;
	}
	return status;
}

int run_command(struct collector *c, const struct options *options)
{
	sigset_t set = awaited();
	int err, command, status;
	FILE *out;
	pid_t pid;

	out = open_output(options);
	if (!out)
		return EXIT_FAILURE;
	sigprocmask(SIG_BLOCK, &set, NULL);
	err = start(options->command, &pid);
	if (err)
		return err == ENOENT ? 127 : 126;
	signal(SIGPIPE, SIG_IGN);
	command = await(c, pid);
	if (command < 0 || (!print(out, c, options, &status) && status))
		return EXIT_FAILURE;
	return exit_status(command);
}
