/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The results of the checks, as text or JSON. */
#ifndef __REPORT_H
#define __REPORT_H

#include <stdbool.h>

#define ADVICE_SIZE 512

enum state {
	STATE_OK,
	STATE_WARNING, /* works, but not all of it, or not for everyone */
	STATE_PROBLEM, /* something does not work */
	STATE_NONE, /* does not apply */
	STATES,
};

/**
 * struct report - what has been reported, and how
 * @json: as JSON
 * @verbose: as text, include what does not apply
 * @counts: number of results for each state
 */
struct report {
	bool json;
	bool verbose;
	unsigned int counts[STATES];
};

/*
 * Prints a result. @check: what was checked, @device: PCI address or NULL,
 * @advice: what to do, or NULL. The text is a sentence without its period.
 */
void report(struct report *report, const char *check, const char *device,
	    enum state state, const char *advice, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Prints the sums. */
void report_end(const struct report *report);

#endif
