/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options that several tools have, with the same letters. */
#ifndef __LIB_COMMON_H
#define __LIB_COMMON_H

#include <argp.h>
#include <stdbool.h>

/**
 * struct common_options - what they were set to
 * @pid: -p: one process only, 0 for all
 * @timestamp: -T: the time of day
 * @json: -j: JSON lines rather than text
 * @verbose: -v: libbpf's messages too
 */
struct common_options {
	unsigned long pid;
	bool timestamp;
	bool json;
	bool verbose;
};

/* For the default of a parser: takes those of them that the tool lists. */
error_t common_parse(struct common_options *options, int key, const char *arg,
		     struct argp_state *state);

#endif
