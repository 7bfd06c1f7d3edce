/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "../lib/common.h"

#define MAX_SETTINGS 64

/**
 * struct options - the command line
 * @command: load, list, show, update, set, log or unload
 * @name: name of the policy
 * @file: object file, or name of a bundled policy
 * @policy: which policy to take if the file has several, or NULL
 * @new_name: new name of the policy, or NULL
 * @cgroup: cgroup that the policy is for, "" for all, or NULL
 * @priority: its priority, if @has_priority
 * @settings: VAR=VALUE each
 * @nr_settings: number of @settings
 * @fresh: don't keep the state of the old policy
 * @follow: print new records as they are written
 * @common: options that other tools have, too
 */
struct options {
	const char *command;
	const char *name;
	const char *file;
	const char *policy;
	const char *new_name;
	const char *cgroup;
	long priority;
	bool has_priority;
	const char *settings[MAX_SETTINGS];
	size_t nr_settings;
	bool fresh;
	bool follow;
	struct common_options common;
};

/* Exits on --help, --version and invalid options. */
void options_parse(struct options *options, int argc, char **argv);

#endif
