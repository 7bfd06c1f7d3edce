/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "../lib/common.h"

#define MAX_SETTINGS 64

/**
 * struct options - what the command line asked for
 * @command: load, list, show, update, set, log or unload
 * @name: policy to do it to
 * @file: object file, or the name of a policy that comes along
 * @policy: which one of several in the file, or NULL
 * @new_name: name to give it, or NULL
 * @cgroup: cgroup that it is for, "" for all, or NULL
 * @priority: its priority, if @has_priority
 * @settings: VAR=VALUE each
 * @nr_settings: how many
 * @fresh: forget the state of the policy that is replaced
 * @follow: go on with what comes
 * @common: options that it has in common with others
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

/* Ends the program itself on --help, --version and what it can't accept. */
void options_parse(struct options *options, int argc, char **argv);

#endif
