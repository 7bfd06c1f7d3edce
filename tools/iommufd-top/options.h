/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include "../lib/common.h"
#include "view.h"

#define FILTER_LEN 32

/**
 * struct options - what the command line asked for
 * @common: process, JSON rather than text, libbpf's messages
 * @delay: seconds between refreshes
 * @count: refreshes to show, 0 for no end
 * @batch: text rather than a screen
 * @cost: measure what the BPF programs cost
 * @view: the table to show, or to begin with
 * @sort: order of its rows; @sort.column is COLUMNS for the view's own
 * @filter: what rows have in their texts, or empty
 * @output: file to write to instead of standard output, or NULL
 * @command: command to watch from its start to its end, or NULL
 */
struct options {
	struct common_options common;
	double delay;
	unsigned long count;
	bool batch;
	bool cost;
	enum view view;
	struct sort sort;
	char filter[FILTER_LEN];
	const char *output;
	char **command;
};

/* Ends the program itself on --help, --version and what it can't accept. */
void options_parse(struct options *options, int argc, char **argv);

#endif
