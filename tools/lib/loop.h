/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_LOOP_H
#define __LIB_LOOP_H

#include <argp.h>
#include <linux/types.h>
#include <stdbool.h>

#define LOOP_MIN 0.01
#define LOOP_MAX 86400

/**
 * struct loop - how a tool goes on, from its arguments [INTERVAL [COUNT]]
 * @interval: seconds between reports, 0 if none was given
 * @count: reports until the end, 0 for any number
 * @next: when the interval ends, CLOCK_MONOTONIC in seconds
 * @signals: where signals arrive
 */
struct loop {
	double interval;
	unsigned long count;
	double next;
	int signals;
};

enum loop_event {
	LOOP_TICK, /* an interval is over */
	LOOP_INPUT, /* there is something to read */
	LOOP_END, /* a signal to end, or the reader of standard output is gone */
};

/*
 * Takes an argument of the command line: the first is INTERVAL, the second
 * COUNT. To be called for ARGP_KEY_ARG; what can't be meant ends the program.
 */
error_t loop_argument(struct loop *loop, const char *arg,
		      struct argp_state *state);

bool loop_parse_interval(const char *text, double *interval);
/* A whole number from @min on. */
bool loop_parse_number(const char *text, unsigned long min,
		       unsigned long *number);

/* From here on signals are waited for, and the first interval runs. */
void loop_begin(struct loop *loop);

/*
 * Waits until there is something to read from @fd (-1: from nothing), an
 * interval is over or it is time to end. Without an interval there is no tick.
 */
enum loop_event loop_wait(struct loop *loop, int fd);

/* Whether that was the last report; counts them. */
bool loop_done(struct loop *loop);

/*
 * Sends what was printed to standard output. False if that can't go on:
 * *@status is then EXIT_SUCCESS if the reader has seen enough, else
 * EXIT_FAILURE, and why was said.
 */
bool loop_flush(int *status);

/* Nanoseconds of a clock. */
__u64 loop_clock(int clock);

/* A time of the kernel's events (ktime) in nanoseconds since 1970. */
__u64 loop_since_1970(__u64 ktime_ns);

/* The time of day, HH:MM:SS, now or at a time since 1970; @buf has 16 bytes. */
char *loop_time(char *buf);
char *loop_time_at(char *buf, __u64 time_ns);

#endif
