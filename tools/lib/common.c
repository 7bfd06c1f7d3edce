// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <limits.h>
#include "common.h"

error_t common_parse(struct common_options *options, int key, const char *arg,
		     struct argp_state *state)
{
	switch (key) {
	case 'p':
		if (!loop_parse_number(arg, 1, &options->pid) ||
		    options->pid > INT_MAX)
			argp_error(state, "there is no process '%s'", arg);
		return 0;
	case 'T':
		options->timestamp = true;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t common_parse_loop(struct common_options *options, struct loop *loop,
			  int key, const char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		return loop_argument(loop, arg, state);
	return common_parse(options, key, arg, state);
}
