/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OUTPUT_H
#define __OUTPUT_H

#include <stdio.h>
#include "view.h"

/*
 * Print one refresh with these rows of a view, as text or as a line of JSON.
 * @run: the report covers a whole run, so that counts are shown instead of
 * rates.
 */
void print_text(FILE *out, const struct report *report, enum view view,
		const struct table *rows, bool run);
void print_json(FILE *out, const struct report *report, enum view view,
		const struct table *rows);

/* The lines above the table, each in @buf of LINE_LEN bytes. */
const char *summary_system(char *buf, const struct report *report);
const char *summary_requests(char *buf, const struct report *report);
const char *summary_run(char *buf, const struct report *report);
const char *summary_cost(char *buf, const struct report *report);

/* Replaces a table that is not available on a stock kernel. */
#define NOT_OF_STOCK "The stock iommufd of this kernel does not report that."

#endif
