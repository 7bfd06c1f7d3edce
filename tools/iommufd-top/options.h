/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include "../lib/common.h"
#include "view.h"

#define FILTER_LEN 32

/**
 * struct options - the command line
 * @common: process, JSON instead of text, libbpf's messages
 * @delay: seconds between refreshes
 * @count: number of refreshes, 0 for no limit
 * @batch: text instead of the screen
 * @cost: measure the cost of the BPF programs
 * @view: the table to show, or to show first
 * @sort: order of its rows; @sort.column is COLUMNS for the view's default
 * @filter: text that rows must contain, or empty
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

/* Exits on --help, --version and invalid options. */
void options_parse(struct options *options, int argc, char **argv);

#endif
