// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"

const char *argp_program_version = "iommufd-policy " VERSION;

static const char doc[] =
	"Loads, lists, changes and unloads BPF policies of iommufd, which decide on "
	"page tables, invalidations and pinned memory.\v"
	"FILE is a BPF object, or the name of a bundled policy: pinlimit, quota, "
	"bucket, dirty or audit. A policy stays attached until it is unloaded.\n"
	"\n"
	"Examples:\n"
	"  iommufd-policy load quota --set limit=64\n"
	"  iommufd-policy load dirty --cgroup machine.slice\n"
	"  iommufd-policy list\n"
	"  iommufd-policy show quota           settings and statistics\n"
	"  iommufd-policy set quota limit=128  takes effect at once\n"
	"  iommufd-policy load pinlimit --set by=cgroup --set limit=16G\n"
	"  iommufd-policy set pinlimit limits[machine.slice]=64G\n"
	"  iommufd-policy log audit --follow   its log, as it grows\n"
	"  iommufd-policy update quota ./quota2.bpf.o\n"
	"  iommufd-policy unload quota\n";

enum {
	KEY_NAME = 256,
	KEY_CGROUP,
	KEY_PRIORITY,
	KEY_SET,
	KEY_POLICY,
	KEY_FRESH,
};

static const struct argp_option entries[] = {
	{ "name", KEY_NAME, "NAME", 0,
	  "load: name the policy, 1 to 15 characters (its own name)", 0 },
	{ "cgroup", KEY_CGROUP, "PATH", 0,
	  "load, update: only for requests from this cgroup; / for all", 0 },
	{ "priority", KEY_PRIORITY, "N", 0,
	  "load, update: policies with a higher priority are asked first", 0 },
	{ "set", KEY_SET, "VAR=VALUE", 0,
	  "load, update: change a setting; may be repeated", 0 },
	{ "policy", KEY_POLICY, "NAME", 0,
	  "load, update: which policy, if FILE has several", 0 },
	{ "fresh", KEY_FRESH, NULL, 0, "update: reset settings and statistics",
	  0 },
	{ "follow", 'f', NULL, 0, "log: keep printing new records until Ctrl-C",
	  0 },
	{ "json", 'j', NULL, 0,
	  "list, show, log: write JSON, one object per line", 0 },
	{ "verbose", 'v', NULL, 0,
	  "Also show messages of libbpf and the verifier", 0 },
	{},
};

static bool parse_priority(const char *text, long *priority)
{
	char *end;

	errno = 0;
	*priority = strtol(text, &end, 10);
	return end != text && !*end && !errno && *priority >= INT_MIN &&
	       *priority <= INT_MAX;
}

static void add_setting(struct options *options, const char *arg,
			struct argp_state *state)
{
	const char *equal = strchr(arg, '=');

	if (!equal || equal == arg)
		argp_error(state, "a setting has the form VAR=VALUE, not '%s'",
			   arg);
	if (options->nr_settings == MAX_SETTINGS)
		argp_error(state, "too many settings (at most %d)",
			   MAX_SETTINGS);
	options->settings[options->nr_settings++] = arg;
}

static const struct command {
	const char *name;
	bool takes_name;
	bool takes_file;
	bool takes_settings;
} commands[] = {
	{ "load", false, true, false },	  { "list", false, false, false },
	{ "show", true, false, false },	  { "update", true, true, false },
	{ "set", true, false, true },	  { "log", true, false, false },
	{ "unload", true, false, false },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static void add_argument(struct options *options, const char *arg,
			 struct argp_state *state)
{
	const struct command *command;

	if (!options->command) {
		if (!find_command(arg))
			argp_error(state, "there is no command '%s'", arg);
		options->command = arg;
		return;
	}
	command = find_command(options->command);
	if (command->takes_name && !options->name)
		options->name = arg;
	else if (command->takes_file && !options->file)
		options->file = arg;
	else if (command->takes_settings)
		add_setting(options, arg, state);
	else
		argp_error(state, "unexpected argument '%s'", arg);
}

/* Checks for missing arguments and invalid combinations. */
static void check(const struct options *options, struct argp_state *state)
{
	const struct command *command;

	if (!options->command)
		argp_error(state, "no command given");
	command = find_command(options->command);
	if (command->takes_name && !options->name)
		argp_error(state, "%s needs the NAME of a policy",
			   options->command);
	if (command->takes_file && !options->file)
		argp_error(state, "%s needs a FILE", options->command);
	if (command->takes_settings && !options->nr_settings)
		argp_error(state, "%s needs VAR=VALUE", options->command);
	if (!command->takes_file &&
	    (options->policy || options->cgroup || options->has_priority ||
	     (options->nr_settings && !command->takes_settings)))
		argp_error(state,
			   "--policy, --cgroup, --priority and --set are only for load and update");
	if (options->new_name && (!command->takes_file || command->takes_name))
		argp_error(state, "--name is only for load");
	if (options->fresh && !(command->takes_file && command->takes_name))
		argp_error(state, "--fresh is only for update");
	if (options->follow && strcmp(command->name, "log"))
		argp_error(state, "--follow is only for log");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_NAME:
		if (!*arg || strlen(arg) > 15 || strchr(arg, '/') ||
		    *arg == '.')
			argp_error(state,
				   "a name must have 1 to 15 characters, no / and no leading ., unlike '%s'",
				   arg);
		options->new_name = arg;
		return 0;
	case KEY_CGROUP:
		options->cgroup = strcmp(arg, "/") ? arg : "";
		return 0;
	case KEY_PRIORITY:
		if (!parse_priority(arg, &options->priority))
			argp_error(state,
				   "the priority must be a 32-bit number, not '%s'",
				   arg);
		options->has_priority = true;
		return 0;
	case KEY_SET:
		add_setting(options, arg, state);
		return 0;
	case KEY_POLICY:
		options->policy = arg;
		return 0;
	case KEY_FRESH:
		options->fresh = true;
		return 0;
	case 'f':
		options->follow = true;
		return 0;
	case ARGP_KEY_ARG:
		add_argument(options, arg, state);
		return 0;
	case ARGP_KEY_END:
		check(options, state);
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
		.args_doc = "load FILE\nlist\nshow NAME\nupdate NAME FILE\n"
			    "set NAME VAR=VALUE...\nlog NAME\nunload NAME",
		.doc = doc,
	};

	argp_parse(&argp, argc, argv, 0, NULL, options);
}
