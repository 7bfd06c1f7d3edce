/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options that several tools have, with the same letters. */
#ifndef __LIB_COMMON_H
#define __LIB_COMMON_H

#include <argp.h>
#include <stdbool.h>

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

/* Default case of a tool's parser: handles the common options that it lists. */
error_t common_parse(struct common_options *options, int key, const char *arg,
		     struct argp_state *state);

#endif
