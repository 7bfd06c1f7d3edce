// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include "options.h"

#define ROOT_KEY 256

const char *argp_program_version = "iommufd-doctor " VERSION;

static const char doc[] =
	"Checks whether this machine can use iommufd, and says what to do about "
	"what does not work.\v"
	"DEVICE is a PCI address. Without one, the devices that a driver of VFIO "
	"holds are checked.\n"
	"\n"
	"Exit status: 0 if nothing is in the way, 1 if there is a problem.\n"
	"\n"
	"Examples:\n"
	"  iommufd-doctor               the machine, and the devices of VFIO\n"
	"  iommufd-doctor 0000:01:00.0  can this device be given to a VM?\n"
	"  iommufd-doctor --json | jq -r 'select(.state == \"problem\").advice'\n"
	"                               only what to do\n";

static const struct argp_option entries[] = {
	COMMON_JSON,
	{ "verbose", 'v', NULL, 0, "Also show what does not apply", 0 },
	{ "root", ROOT_KEY, "DIR", 0,
	  "Look at /sys, /proc, /dev and /lib below DIR", 0 },
	{},
};

/* Accepts what lspci prints, with or without the domain. */
static void add_device(struct options *options, const char *arg,
		       struct argp_state *state)
{
	unsigned int domain, bus, slot, function;
	int end = 0;

	if (options->nr_devices == MAX_DEVICES)
		argp_error(state, "too many devices (at most %d)", MAX_DEVICES);
	if (sscanf(arg, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function,
		   &end) != 4) {
		domain = 0;
		if (sscanf(arg, "%x:%x.%x%n", &bus, &slot, &function, &end) !=
		    3)
			end = 0;
	}
	/* The numbers have no signs and no 0x. */
	if (!end || arg[strspn(arg, "0123456789abcdefABCDEF:.")] || arg[end] ||
	    domain > 0xffffff || bus > 0xff || slot > 0x1f || function > 7)
		argp_error(state, "'%s' is not a PCI address", arg);
	snprintf(options->devices[options->nr_devices++], ADDRESS_SIZE,
		 "%04x:%02x:%02x.%x", domain, bus, slot, function);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ROOT_KEY:
		options->root = arg;
		return 0;
	case ARGP_KEY_ARG:
		add_device(options, arg, state);
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
		.args_doc = "[DEVICE...]",
		.doc = doc,
	};

	options->root = "";
	argp_parse(&argp, argc, argv, 0, NULL, options);
}
