/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_LOOP_H
#define __LIB_LOOP_H

#include <argp.h>
#include <linux/types.h>
#include <stdbool.h>

#define LOOP_MIN 0.01
#define LOOP_MAX 86400

/**
 * struct loop - main loop of a tool with the arguments [INTERVAL [COUNT]]
 * @interval: seconds between reports, 0 if none was given
 * @count: reports until the end, 0 for no limit
 * @next: when the interval ends, CLOCK_MONOTONIC in seconds
 * @ignores_output: go on when the reader of standard output is gone
 * @signals: file descriptor for signals
 */
struct loop {
	double interval;
	unsigned long count;
	double next;
	bool ignores_output;
	int signals;
};

enum loop_event {
	LOOP_TICK, /* an interval has ended */
	LOOP_INPUT, /* there is input */
	LOOP_END, /* a signal to end, or the reader of the output is gone */
};

/*
 * Parses an argument of the command line: the first is INTERVAL, the second
 * COUNT. To be called for ARGP_KEY_ARG; an invalid argument ends the program.
 */
error_t loop_argument(struct loop *loop, const char *arg,
		      struct argp_state *state);

bool loop_parse_interval(const char *text, double *interval);
/* Parses an integer that must be at least @min. */
bool loop_parse_number(const char *text, unsigned long min,
		       unsigned long *number);

/* Blocks signals, to wait for them, and starts the first interval. */
void loop_begin(struct loop *loop);

/*
 * Waits until there is input on @fd (-1: no input), an interval ends or it is
 * time to exit. Without an interval there is no LOOP_TICK.
 */
enum loop_event loop_wait(struct loop *loop, int fd);

/* Counts a report and returns whether it was the last one. */
bool loop_done(struct loop *loop);

/*
 * Flushes standard output. Returns false if the tool must end: *@status is then
 * EXIT_SUCCESS if the reader has closed the pipe, or else EXIT_FAILURE after
 * reporting the error.
 */
bool loop_flush(int *status);

/* The time of a clock in nanoseconds. */
__u64 loop_clock(int clock);

/* Converts the time of a kernel event (ktime) to nanoseconds since 1970. */
__u64 loop_since_1970(__u64 ktime_ns);

/*
 * The current time of day, or that of a time since 1970, as HH:MM:SS; @buf has
 * 16 bytes.
 */
char *loop_time(char *buf);
char *loop_time_at(char *buf, __u64 time_ns);

#endif
