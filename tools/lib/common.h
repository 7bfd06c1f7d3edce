/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options that several tools have, with the same letters. */
#ifndef __LIB_COMMON_H
#define __LIB_COMMON_H

#include <argp.h>
#include <stdbool.h>
#include "loop.h"

/**
 * struct common_options - values of the common options
 * @pid: -p: only this process, 0 for all
 * @timestamp: -T: print the time of day
 * @json: -j: print JSON lines instead of text
 * @verbose: -v: also print libbpf's messages
 */
struct common_options {
	unsigned long pid;
	bool timestamp;
	bool json;
	bool verbose;
};

/* Entries of a tool's list of options; @doc says what -p restricts. */
#define COMMON_PID(doc) { "pid", 'p', "PID", 0, doc, 0 }
#define COMMON_TIMESTAMP \
	{ "timestamp", 'T', NULL, 0, "Show the time of day", 0 }
#define COMMON_JSON \
	{ "json", 'j', NULL, 0, "Write JSON, one object per line", 0 }
#define COMMON_VERBOSE \
	{ "verbose", 'v', NULL, 0, "Also show messages of libbpf", 0 }

/* Default case of a tool's parser: handles the common options that it lists. */
error_t common_parse(struct common_options *options, int key, const char *arg,
		     struct argp_state *state);

/* The same for a tool with the arguments [INTERVAL [COUNT]]. */
error_t common_parse_loop(struct common_options *options, struct loop *loop,
			  int key, const char *arg, struct argp_state *state);

#endif
