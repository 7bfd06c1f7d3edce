/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __PRINT_H
#define __PRINT_H

#include <stdbool.h>
#include "failure.h"
#include "options.h"

/* One failure, on standard output: a block of text, or a line of JSON. */
void print_failure(const struct failure *failure, bool json);

/* So many failures were not told, all in all. */
void print_lost(__u64 lost, bool json);

/* How often each reason was told, or on a stock kernel each errno: @counts[N]. */
void print_summary(const __u64 *counts, __u64 lost,
		   const struct options *options);

/* What is missing on a stock kernel. */
void print_stock(bool json);

/* All reasons with their templates, as text. */
void print_list(bool json);

#endif
