// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include "../lib/loop.h"
#include "options.h"

const char *argp_program_version = "iommufd-why " VERSION;

static const char doc[] =
	"Explains each request to iommufd that fails: why it fails, and what to do "
	"about it.\v"
	"With COMMAND, runs it and reports failures of it and its descendants; the "
	"exit status is that of COMMAND.\n"
	"\n"
	"Examples:\n"
	"  iommufd-why                         every failure, until Ctrl-C\n"
	"  iommufd-why -- qemu-system-x86_64 ...\n"
	"                                      why does my VM not start?\n"
	"  iommufd-why -p 812 -r memlock       one process and one reason\n"
	"  iommufd-why --json --summary -o log write JSON lines to a file\n";

static const struct argp_option entries[] = {
	{ "pid", 'p', "PID", 0, "Only failures of this process", 0 },
	{ "reason", 'r', "REASON", 0,
	  "Only failures for this reason; may be repeated", 0 },
	{ "count", 'n', "COUNT", 0, "Quit after COUNT failures", 0 },
	{ "all", 'a', NULL, 0,
	  "Print each failure in full; otherwise repeats are counted", 0 },
	{ "summary", 's', NULL, 0, "At the end, show counts by reason", 0 },
	{ "json", 'j', NULL, 0, "Write JSON, one object per line", 0 },
	{ "output", 'o', "FILE", 0,
	  "Write to FILE and leave standard output to COMMAND", 0 },
	{ "list", 'l', NULL, 0, "List all reasons with their texts", 0 },
	{ "verbose", 'v', NULL, 0, "Also show messages of libbpf", 0 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'r':
		if (options->nr_reasons == MAX_REASONS)
			argp_error(state, "too many reasons (at most %d)",
				   MAX_REASONS);
		options->reasons[options->nr_reasons++] = arg;
		return 0;
	case 'n':
		if (!loop_parse_number(arg, 1, &options->count))
			argp_error(state,
				   "the number of failures must be 1 or more, not '%s'",
				   arg);
		return 0;
	case 'a':
		options->all = true;
		return 0;
	case 's':
		options->summary = true;
		return 0;
	case 'o':
		options->output = arg;
		return 0;
	case 'l':
		options->list = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->command = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		if (options->command && options->common.pid)
			argp_error(state, "-p can't be used with COMMAND");
		return 0;
	default:
		return common_parse(&options->common, key, arg, state);
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

	/*
	 * Parse in order: what follows the command's name belongs to the
	 * command.
	 */
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, options);
}
