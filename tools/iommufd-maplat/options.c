// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include <limits.h>
#include <string.h>
#include "options.h"

const char *argp_program_version = "iommufd-maplat " VERSION;

static const char doc[] =
	"Shows how long map and unmap requests of iommufd take and what they "
	"spend the time on, as histograms: waiting for locks, pinning pages, "
	"the IOMMU's page tables, flushing its TLB, unpinning.\v"
	"Without INTERVAL it counts until Ctrl-C.\n"
	"\n"
	"Examples:\n"
	"  iommufd-maplat                    until Ctrl-C\n"
	"  iommufd-maplat -T 1 10            each second, ten times\n"
	"  iommufd-maplat -b process 5       a histogram for each process\n"
	"  iommufd-maplat -b size -p 1234    one process, by size\n"
	"  iommufd-maplat --slower 1000      requests of a millisecond or more\n";

static const struct argp_option entries[] = {
	{ "by", 'b', "WHAT", 0,
	  "A histogram for each ioas, process or size (power of two) instead "
	  "of one for all",
	  0 },
	{ "slower", 's', "US", 0,
	  "List single requests that take US microseconds or more, failed ones "
	  "included, instead of histograms",
	  0 },
	COMMON_PID("Only requests of this process"),
	COMMON_TIMESTAMP,
	COMMON_JSON,
	COMMON_VERBOSE,
	{},
};

static const char *const by_names[] = {
	[MAPLAT_BY_IOAS] = "ioas",
	[MAPLAT_BY_PROCESS] = "process",
	[MAPLAT_BY_SIZE] = "size",
};

static enum maplat_by by_parse(const char *name)
{
	for (int by = MAPLAT_BY_IOAS; by <= MAPLAT_BY_SIZE; by++)
		if (!strcmp(name, by_names[by]))
			return by;
	return MAPLAT_BY_NOTHING;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'b':
		options->by = by_parse(arg);
		if (!options->by)
			argp_error(state,
				   "histograms are by ioas, process or size, not '%s'",
				   arg);
		return 0;
	case 's':
		options->slower = true;
		if (!loop_parse_number(arg, 0, &options->slower_us) ||
		    options->slower_us > ULONG_MAX / 1000)
			argp_error(state, "'%s' is not a valid duration", arg);
		return 0;
	case ARGP_KEY_END:
		if (options->slower && (options->loop.interval || options->by))
			argp_error(state,
				   "--slower lists requests one by one: it takes no INTERVAL and no --by");
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
