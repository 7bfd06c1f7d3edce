/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OUTPUT_H
#define __OUTPUT_H

#include <stdio.h>
#include "view.h"

/*
 * One refresh as text, one as a line of JSON, with those rows of a view. @run:
 * it is that of a whole run, so that counts tell more than rates.
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

/* In place of a table that there can't be on a stock kernel. */
#define NOT_OF_STOCK "The stock iommufd of this kernel does not report that."

#endif
