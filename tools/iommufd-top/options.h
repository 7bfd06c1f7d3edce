/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include "columns.h"

/**
 * struct options - what the command line asked for
 * @delay: seconds between refreshes
 * @count: refreshes to show, 0 for no end
 * @batch: text rather than a screen
 * @json: JSON lines rather than text
 * @verbose: libbpf's messages too
 * @sort: order of the rows
 * @output: file to write to instead of standard output, or NULL
 * @command: command to watch from its start to its end, or NULL
 */
struct options {
	double delay;
	unsigned long count;
	bool batch;
	bool json;
	bool verbose;
	struct sort sort;
	const char *output;
	char **command;
};

/* Ends the program itself on --help, --version and what it can't accept. */
void options_parse(struct options *options, int argc, char **argv);

#define DELAY_MIN 0.01
#define DELAY_MAX 86400.0

/* Seconds from @text; false if it is no number or out of bounds. */
bool delay_parse(const char *text, double *delay);

#endif
