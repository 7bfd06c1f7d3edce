// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include "options.h"

#define DEFAULT_HISTORY 65536
/* One GiB of memory. */
#define MAX_HISTORY (16 << 20)

const char *argp_program_version = "iommufd-faults " VERSION;

static const char doc[] =
	"Shows I/O page faults that devices report to user space through "
	"iommufd: how long each waited to be read and to be answered, and how it "
	"ended. Also shows events of vIOMMUs. With --dma, shows DMA of VFIO's "
	"devices that the IOMMU refused, for which it needs no iommufd.\v"
	"Without INTERVAL, lists each fault group when it ends, and at the end "
	"(Ctrl-C) those that still wait. With INTERVAL, shows totals for each "
	"queue.\n"
	"\n"
	"Examples:\n"
	"  iommufd-faults           each fault\n"
	"  iommufd-faults -T 1      totals for each second\n"
	"  iommufd-faults -H 10 1   a histogram of the latencies in ten seconds\n"
	"  iommufd-faults -j > log  each fault as JSON\n"
	"  iommufd-faults --dma     each refused DMA: device, VM, address, cause,\n"
	"                           and what is, or was, mapped there\n";

static const struct argp_option entries[] = {
	{ "dma", 'D', NULL, 0,
	  "Show DMA that the IOMMU refused, from the kernel's log", 0 },
	{ "history", 'n', "NUMBER", 0,
	  "With --dma, remember this number of unmaps (65536)", 0 },
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
	case 'D':
		options->dma = true;
		return 0;
	case 'H':
		options->histogram = true;
		return 0;
	case 'n':
		if (!loop_parse_number(arg, 0, &options->history) ||
		    options->history > MAX_HISTORY)
			argp_error(state,
				   "the number of unmaps is 0 to %d, not '%s'",
				   MAX_HISTORY, arg);
		return 0;
	case ARGP_KEY_END:
		if (options->histogram && !options->loop.interval)
			argp_error(state, "a histogram needs an INTERVAL");
		if (options->histogram && options->dma)
			argp_error(state, "refused DMA has no latency");
		if (options->history != DEFAULT_HISTORY && !options->dma)
			argp_error(state, "only --dma has a history");
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

	options->history = DEFAULT_HISTORY;
	argp_parse(&argp, argc, argv, 0, NULL, options);
}
