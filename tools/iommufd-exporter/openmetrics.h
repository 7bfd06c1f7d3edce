/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The text format of OpenMetrics 1.0. */
#ifndef __OPENMETRICS_H
#define __OPENMETRICS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * struct family - description of a metric
 * @name: without suffixes such as _total; ends with the unit, if it has one
 * @type: counter, gauge, histogram or info
 * @unit: NULL if it has none
 */
struct family {
	const char *name;
	const char *type;
	const char *unit;
	const char *help;
};

/*
 * Selects the older text format of Prometheus (0.0.4) for what is printed next,
 * or OpenMetrics.
 */
void openmetrics_set_old(bool wanted);
/* Prints the end of all metrics. */
void openmetrics_end(FILE *out);

void openmetrics_family(FILE *out, const struct family *family);

/* A sample without labels; @suffix follows the name of the family. */
void openmetrics_sample(FILE *out, const struct family *family,
			const char *suffix, __u64 value);

/*
 * Prints a label value of at most @size bytes, with its quotes. It may be
 * anything: invalid UTF-8 is replaced with U+FFFD.
 */
void openmetrics_value(FILE *out, const char *value, size_t size);

/* Prints nanoseconds as seconds. */
void openmetrics_seconds(FILE *out, __u64 ns);

#endif
