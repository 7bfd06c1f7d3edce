/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "../lib/common.h"

#define MAX_REASONS 64

/**
 * struct options - what the command line asked for
 * @common: process, JSON, messages of libbpf; no time of day
 * @reasons: for these reasons only, if any
 * @nr_reasons: how many
 * @count: failures to tell, 0 for no end
 * @summary: counts by reason at the end
 * @list: the sentences, then end
 * @stock: the kernel has no trace events of iommufd; not an option
 * @output: file to write to instead of standard output, or NULL
 * @command: command of which the failures are told, or NULL
 */
struct options {
	struct common_options common;
	const char *reasons[MAX_REASONS];
	size_t nr_reasons;
	unsigned long count;
	bool summary;
	bool list;
	bool stock;
	const char *output;
	char **command;
};

/* Ends the program itself on --help, --version and what it can't accept. */
void options_parse(struct options *options, int argc, char **argv);

#endif
