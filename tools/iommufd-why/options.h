/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "../lib/common.h"

#define MAX_REASONS 64

/**
 * struct options - the command line
 * @common: process, JSON, messages of libbpf; no time of day
 * @reasons: report only these reasons, if any
 * @nr_reasons: number of @reasons
 * @count: failures to report, 0 for no limit
 * @all: print repeats, too
 * @summary: print counts by reason at the end
 * @list: print the sentences and exit
 * @stock: the kernel has no trace events of iommufd; not an option
 * @output: file to write to instead of standard output, or NULL
 * @command: command to run and watch, or NULL
 */
struct options {
	struct common_options common;
	const char *reasons[MAX_REASONS];
	size_t nr_reasons;
	unsigned long count;
	bool all;
	bool summary;
	bool list;
	bool stock;
	const char *output;
	char **command;
};

/* Exits on --help, --version and invalid options. */
void options_parse(struct options *options, int argc, char **argv);

#endif
