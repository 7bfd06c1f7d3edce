// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"

const char *argp_program_version = "iommufd-exporter " VERSION;

static const char doc[] =
	"Serves metrics of iommufd over HTTP, for Prometheus and others that "
	"read OpenMetrics: what each context pins and maps, requests that fail "
	"and why, how long maps and unmaps take, page faults.\v"
	"Metrics are at /metrics. Anyone who can connect to the port can read "
	"them, and they include process names.\n"
	"\n"
	"Examples:\n"
	"  iommufd-exporter                    on 127.0.0.1:9899\n"
	"  iommufd-exporter -l [::1]:9000      at another address\n"
	"  iommufd-exporter -l /run/iommufd-exporter/socket -m 660 for a proxy\n"
	"  curl http://127.0.0.1:9899/metrics  show the metrics\n";

static const struct argp_option entries[] = {
	{ "listen", 'l', "ADDR:PORT", 0,
	  "Listen at this address (127.0.0.1:9899); :PORT for all addresses, "
	  "/PATH for a Unix socket",
	  0 },
	{ "mode", 'm', "MODE", 0,
	  "Permissions of the Unix socket, in octal (600); 660 lets in the "
	  "group of the directory or service",
	  0 },
	{ "contexts", 'c', "N", 0,
	  "The N oldest contexts have metrics of their own (1000)", 0 },
	COMMON_VERBOSE,
	{},
};

static bool parse_mode(const char *text, unsigned int *mode)
{
	if (!*text || strlen(text) > 4 ||
	    strspn(text, "01234567") < strlen(text))
		return false;
	*mode = strtoul(text, NULL, 8);
	return *mode <= 0777;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'l':
		options->listen = arg;
		return 0;
	case 'm':
		if (!parse_mode(arg, &options->mode))
			argp_error(state,
				   "the permissions must be octal, up to 777, not '%s'",
				   arg);
		return 0;
	case 'c':
		if (!loop_parse_number(arg, 0, &options->contexts))
			argp_error(state, "'%s' is not a valid number", arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
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
		.doc = doc,
	};

	argp_parse(&argp, argc, argv, 0, NULL, options);
}
