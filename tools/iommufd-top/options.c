// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"

const char *argp_program_version = "iommufd-top " VERSION;

static const char doc[] =
	"Shows who maps memory for devices through iommufd, live: mapped bytes, "
	"pinned pages, map and unmap requests a second, how long they take, and "
	"how many fail, by process and IOAS.\v"
	"With COMMAND, runs it, and shows the sums over the whole run when it "
	"ends; the exit status is the command's.\n"
	"\n"
	"Examples:\n"
	"  iommufd-top                         live; h for help, q to quit\n"
	"  iommufd-top -b -n 3 -d 0.5          three refreshes as text\n"
	"  iommufd-top --json -o log -s failed JSON lines into a file\n"
	"  iommufd-top -- ./my-vmm --boot      what it mapped, all in all\n";

static const struct argp_option entries[] = {
	{ "batch", 'b', NULL, 0,
	  "Write text instead of filling the screen; also when standard output "
	  "is no terminal",
	  0 },
	{ "delay", 'd', "SECONDS", 0, "Time between refreshes (1)", 0 },
	{ "iterations", 'n', "N", 0, "Quit after N refreshes", 0 },
	{ "sort", 's', "COLUMN", 0,
	  "Sort by pid, command, ctx, ioas, mapped, pinned, maps (the default), "
	  "unmaps, map-p50, map-p99, map-max, unmap-p50, unmap-p99, unmap-max "
	  "or failed",
	  0 },
	{ "reverse", 'r', NULL, 0, "Sort the other way round", 0 },
	{ "json", 'j', NULL, 0, "Write JSON, one object a line and refresh",
	  0 },
	{ "output", 'o', "FILE", 0, "Write to FILE; implies --batch", 0 },
	{ "verbose", 'v', NULL, 0, "Show what libbpf says, too", 0 },
	{},
};

bool delay_parse(const char *text, double *delay)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= DELAY_MIN && value <= DELAY_MAX))
		return false;
	*delay = value;
	return true;
}

static bool count_parse(const char *text, unsigned long *count)
{
	char *end;

	errno = 0;
	*count = strtoul(text, &end, 10);
	return end != text && !*end && !errno && *count && !strchr(text, '-');
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'b':
		options->batch = true;
		return 0;
	case 'd':
		if (!delay_parse(arg, &options->delay))
			argp_error(state,
				   "the delay must be from 0.01 to 86400 seconds, not '%s'",
				   arg);
		return 0;
	case 'n':
		if (!count_parse(arg, &options->count))
			argp_error(state,
				   "the number of refreshes must be 1 or more, not '%s'",
				   arg);
		return 0;
	case 's':
		options->sort.column = column_by_name(arg);
		if (options->sort.column == COLUMNS)
			argp_error(state, "there is no column '%s'", arg);
		return 0;
	case 'r':
		options->sort.reverse = true;
		return 0;
	case 'j':
		options->json = true;
		options->batch = true;
		return 0;
	case 'o':
		options->output = arg;
		options->batch = true;
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->command = state->argv + state->next;
		options->batch = true;
		return 0;
	case ARGP_KEY_END:
		if (options->command && options->count > 1)
			argp_error(state, "COMMAND gives one report, -n more");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options = entries,
		.parser = parse,
		.args_doc = "[-- COMMAND [ARG...]]",
		.doc = doc,
	};

	/* In order: what follows the command's name is the command's. */
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, options);
}
