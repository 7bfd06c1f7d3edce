/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The owners of attached pinlimit policies. */
#ifndef __LIMITS_H
#define __LIMITS_H

#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include "../../bpf/policy_pinlimit.h"

/* More owners have no metrics of their own. */
#define LIMITS_MAX 1000

/**
 * struct limited - an owner of the kind that has limits
 * @policy: name of the policy
 * @owner: the owner
 * @usage: its memory
 * @limit: its limit in bytes, 0 for none
 * @cgroup: path of its cgroup below the mount, NULL if that is gone, and for others
 */
struct limited {
	char policy[16];
	struct pinlimit_owner owner;
	struct pinlimit_usage usage;
	__u64 limit;
	char *cgroup;
};

/**
 * struct limits - owners, those with most memory first
 * @nr: number of @owners, at most LIMITS_MAX
 * @nr_left_out: owners that are not among them
 */
struct limits {
	size_t nr, nr_left_out;
	struct limited *owners;
};

/* Needs CAP_SYS_ADMIN, and finds nothing without. */
void limits_read(struct limits *limits);
void limits_free(struct limits *limits);

/* Prints the metrics of each of them. */
void limits_print(FILE *out, const struct limits *limits);

#endif
