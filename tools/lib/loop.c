// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "err.h"
#include "loop.h"

bool loop_parse_interval(const char *text, double *interval)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= LOOP_MIN && value <= LOOP_MAX))
		return false;
	*interval = value;
	return true;
}

bool loop_parse_number(const char *text, unsigned long min,
		       unsigned long *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (end == text || *end || errno || value < min || strchr(text, '-'))
		return false;
	*number = value;
	return true;
}

error_t loop_argument(struct loop *loop, const char *arg,
		      struct argp_state *state)
{
	switch (state->arg_num) {
	case 0:
		if (!loop_parse_interval(arg, &loop->interval))
			argp_error(state,
				   "the interval must be from 0.01 to 86400 seconds, not '%s'",
				   arg);
		return 0;
	case 1:
		if (!loop_parse_number(arg, 1, &loop->count))
			argp_error(state,
				   "the count must be 1 or more, not '%s'",
				   arg);
		return 0;
	default:
		argp_error(state, "unexpected argument '%s'", arg);
		return EINVAL;
	}
}

__u64 loop_clock(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

__u64 loop_since_1970(__u64 ktime_ns)
{
	return loop_clock(CLOCK_REALTIME) - loop_clock(CLOCK_MONOTONIC) +
	       ktime_ns;
}

char *loop_time_at(char *buf, __u64 time_ns)
{
	time_t when = time_ns / 1000000000;

	strftime(buf, 16, "%H:%M:%S", localtime(&when));
	return buf;
}

char *loop_time(char *buf)
{
	return loop_time_at(buf, loop_clock(CLOCK_REALTIME));
}

static double seconds(void)
{
	return loop_clock(CLOCK_MONOTONIC) / 1e9;
}

/* Signals are read from a file descriptor, so that they interrupt nothing. */
void loop_begin(struct loop *loop)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	loop->signals = signalfd(-1, &set, SFD_CLOEXEC);
	loop->next = seconds() + loop->interval;
}

/* Milliseconds until the interval ends, rounded up; -1 without an interval. */
static int timeout(const struct loop *loop)
{
	double left = loop->next - seconds();

	if (!loop->interval)
		return -1;
	return left > 0 ? ceil(left * 1000) : 0;
}

enum loop_event loop_wait(struct loop *loop, int fd)
{
	/* Watch standard output only for its reader closing it. */
	struct pollfd fds[] = {
		{ .fd = loop->signals, .events = POLLIN },
		{ .fd = loop->ignores_output ? -1 : STDOUT_FILENO },
		{ .fd = fd, .events = POLLIN },
	};
	int ready;

	do {
		ready = poll(fds, 3, timeout(loop));
	} while (ready < 0 && errno == EINTR);
	if (fds[0].revents || fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		return LOOP_END;
	/* Constant input must not delay the reports. */
	if (ready && (!loop->interval || seconds() < loop->next))
		return LOOP_INPUT;
	loop->next += loop->interval;
	return LOOP_TICK;
}

bool loop_done(struct loop *loop)
{
	return loop->count && !--loop->count;
}

bool loop_flush(int *status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	*status = errno == EPIPE ? EXIT_SUCCESS : EXIT_FAILURE;
	if (errno != EPIPE)
		err_say("can't write: %s", strerror(errno));
	return false;
}
