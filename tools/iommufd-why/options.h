/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_REASONS 64

/**
 * struct options - what the command line asked for
 * @pid: failures of this process only, 0 for all
 * @reasons: for these reasons only, if any
 * @nr_reasons: how many
 * @count: failures to tell, 0 for no end
 * @json: JSON lines rather than text
 * @summary: counts by reason at the end
 * @list: the sentences, then end
 * @stock: the kernel has no trace events of iommufd; not an option
 * @verbose: libbpf's messages too
 * @output: file to write to instead of standard output, or NULL
 * @command: command of which the failures are told, or NULL
 */
struct options {
	unsigned long pid;
	const char *reasons[MAX_REASONS];
	size_t nr_reasons;
	unsigned long count;
	bool json;
	bool summary;
	bool list;
	bool stock;
	bool verbose;
	const char *output;
	char **command;
};

/* Ends the program itself on --help, --version and what it can't accept. */
void options_parse(struct options *options, int argc, char **argv);

#endif
