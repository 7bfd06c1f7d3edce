// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include "options.h"

const char *argp_program_version = "iommufd-faults " VERSION;

static const char doc[] =
	"Shows I/O page faults that devices report to user space through "
	"iommufd: how long each waited to be read and to be answered, and how it "
	"ended. Also shows events of vIOMMUs.\v"
	"Without INTERVAL, lists each fault group when it ends, and at the end "
	"(Ctrl-C) those that still wait. With INTERVAL, shows totals for each "
	"queue.\n"
	"\n"
	"Examples:\n"
	"  iommufd-faults           each fault\n"
	"  iommufd-faults -T 1      totals for each second\n"
	"  iommufd-faults -H 10 1   a histogram of the latencies in ten seconds\n"
	"  iommufd-faults -j > log  each fault as JSON\n";

static const struct argp_option entries[] = {
	{ "histogram", 'H', NULL, 0,
	  "With INTERVAL, show the latencies of all queues as a histogram", 0 },
	COMMON_PID("Only contexts that this process opened"),
	COMMON_TIMESTAMP,
	COMMON_JSON,
	COMMON_VERBOSE,
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'H':
		options->histogram = true;
		return 0;
	case ARGP_KEY_END:
		if (options->histogram && !options->loop.interval)
			argp_error(state, "a histogram needs an INTERVAL");
		return 0;
	default:
		return common_parse_loop(&options->common, &options->loop, key,
					 arg, state);
	}
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options = entries,
		.parser = parse,
		.args_doc = "[INTERVAL [COUNT]]",
		.doc = doc,
	};

	argp_parse(&argp, argc, argv, 0, NULL, options);
}
