/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __PRINT_H
#define __PRINT_H

#include <stdbool.h>
#include "../lib/names.h"
#include "failure.h"
#include "options.h"

/* Counters: by reason or errno, and of what VFIO refused. */
#define COUNT_VFIO NAMES_REASONS
#define COUNTS	   (NAMES_REASONS + 1)

/* Prints a failure on standard output: a block of text, or a line of JSON. */
void print_failure(const struct failure *failure, bool json);

/* Prints that failures like this one happened @count more times. */
void print_more(const struct failure *last, __u64 count);

/* Prints how many failures in total were not reported. */
void print_lost(__u64 lost, bool json);

/*
 * Prints how often each reason, or on a stock kernel each errno, occurred:
 * @counts[N].
 */
void print_summary(const __u64 *counts, __u64 lost,
		   const struct options *options);

/* Prints a note about what a stock kernel does not report. */
void print_stock(bool json);

/* Prints all reasons with their templates. */
void print_list(bool json);

#endif
