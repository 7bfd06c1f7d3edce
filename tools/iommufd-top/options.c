// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/loop.h"
#include "options.h"

const char *argp_program_version = "iommufd-top " VERSION;

static const char doc[] =
	"Shows live what iommufd does: which processes map and pin memory for "
	"devices, how much, how fast and how long it takes, page tables, devices, "
	"and which requests fail and why.\v"
	"With COMMAND, runs it and shows the totals of the run when it ends; the "
	"exit status is that of COMMAND.\n"
	"\n"
	"Examples:\n"
	"  iommufd-top                         live; h for help, q to quit\n"
	"  iommufd-top -b -n 3 -d 0.5          three refreshes as text\n"
	"  iommufd-top -w device -p 1234       the devices of a process\n"
	"  iommufd-top --json -w failure -o log write JSON lines to a file\n"
	"  iommufd-top -w ioas -- ./my-vmm     what it mapped in total\n";

enum { OPTION_COST = 256 };

static const struct argp_option entries[] = {
	{ "batch", 'b', NULL, 0,
	  "Write text instead of filling the screen; also when standard output "
	  "is no terminal or a dumb one",
	  0 },
	{ "delay", 'd', "SECONDS", 0, "Time between refreshes (1)", 0 },
	{ "iterations", 'n', "N", 0, "Quit after N refreshes", 0 },
	{ "view", 'w', "VIEW", 0,
	  "Show this table (first): process (the default), ioas, hwpt, device, "
	  "failure or size",
	  0 },
	{ "sort", 's', "COLUMN", 0,
	  "Sort by a column: pid, maps and so on; '-s help' lists those of the "
	  "view",
	  0 },
	{ "reverse", 'r', NULL, 0, "Reverse the sort order", 0 },
	COMMON_PID("Only this process"),
	{ "filter", 'f', "TEXT", 0,
	  "Only rows with TEXT in the process, device or reason", 0 },
	{ "json", 'j', NULL, 0, "Write JSON, one line per refresh", 0 },
	{ "output", 'o', "FILE", 0, "Write to FILE; implies --batch", 0 },
	{ "cost", OPTION_COST, NULL, 0,
	  "Have the kernel measure the CPU time of the BPF programs", 0 },
	COMMON_VERBOSE,
	{},
};

static void parse_filter(struct options *options, const char *arg,
			 struct argp_state *state)
{
	if (strlen(arg) >= FILTER_LEN)
		argp_error(state, "the filter has more than %d characters",
			   FILTER_LEN - 1);
	else
		strcpy(options->filter, arg);
}

/* Lists names of columns, one per line. */
static void list_columns(enum view view)
{
	for (enum column col = 0; col < COLUMNS; col++)
		if (view_has(view, col))
			puts(column_name(col));
	exit(EXIT_SUCCESS);
}

/* Checks what depends on the view, an option that may follow. */
static void check_sort(struct options *options, const char *name,
		       struct argp_state *state)
{
	if (!name) {
		options->sort.column = view_sort(options->view);
		return;
	}
	if (!strcmp(name, "help"))
		list_columns(options->view);
	options->sort.column = column_by_name(name);
	if (options->sort.column == COLUMNS)
		argp_error(state, "there is no column '%s'", name);
	else if (!view_has(options->view, options->sort.column))
		argp_error(state, "the view %s has no column '%s'",
			   view_name(options->view), name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	static const char *sort;
	struct options *options = state->input;

	switch (key) {
	case 'b':
		options->batch = true;
		return 0;
	case 'd':
		if (!loop_parse_interval(arg, &options->delay))
			argp_error(state,
				   "the delay must be from 0.01 to 86400 seconds, not '%s'",
				   arg);
		return 0;
	case 'n':
		if (!loop_parse_number(arg, 1, &options->count))
			argp_error(state,
				   "the number of refreshes must be 1 or more, not '%s'",
				   arg);
		return 0;
	case 'w':
		options->view = view_by_name(arg);
		if (options->view == VIEWS)
			argp_error(state,
				   "the views are process, ioas, hwpt, device, failure and size, not '%s'",
				   arg);
		return 0;
	case 's':
		sort = arg;
		return 0;
	case 'r':
		options->sort.reverse = true;
		return 0;
	case 'f':
		parse_filter(options, arg, state);
		return 0;
	case 'j':
		options->batch = true;
		break;
	case 'o':
		options->output = arg;
		options->batch = true;
		return 0;
	case OPTION_COST:
		options->cost = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->command = state->argv + state->next;
		options->batch = true;
		return 0;
	case ARGP_KEY_END:
		check_sort(options, sort, state);
		if (options->command && options->count > 1)
			argp_error(state,
				   "COMMAND gives one report, so -n can't be more than 1");
		return 0;
	}
	return common_parse(&options->common, key, arg, state);
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
