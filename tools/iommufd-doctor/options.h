/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "../lib/common.h"

#define MAX_DEVICES  256
#define ADDRESS_SIZE 16

/**
 * struct options - the command line
 * @common: JSON; verbose: also what does not apply
 * @root: where the host's /sys, /proc, /dev and /lib are, "" for /
 * @devices: full PCI addresses of the devices to look at
 * @nr_devices: number of @devices, 0 for those that VFIO has
 */
struct options {
	struct common_options common;
	const char *root;
	char devices[MAX_DEVICES][ADDRESS_SIZE];
	size_t nr_devices;
};

/* Exits on --help, --version and invalid options. */
void options_parse(struct options *options, int argc, char **argv);

#endif
