/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __PRINT_H
#define __PRINT_H

#include <stdio.h>
#include "view.h"

/*
 * Print one refresh with these rows of a view, as text or as a line of JSON.
 * @run: the model covers a whole run, so that counts are shown instead of
 * rates.
 */
void print_text(FILE *out, const struct model *model, enum view view,
		const struct table *rows, bool run);
void print_json(FILE *out, const struct model *model, enum view view,
		const struct table *rows);

/* The lines above the table, each in @buf of LINE_LEN bytes. */
const char *summary_system(char *buf, const struct model *model);
const char *summary_requests(char *buf, const struct model *model);
const char *summary_run(char *buf, const struct model *model);
const char *summary_cost(char *buf, const struct model *model);

/* Replaces a table that is not available on a stock kernel. */
#define NOT_OF_STOCK "The stock iommufd of this kernel does not report that."

#endif
