/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __CGROUP_H
#define __CGROUP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The id of a cgroup of cgroup2; a relative path may begin at its mount. False
 * if there is none, which was said.
 */
bool cgroup_find(const char *path, __u64 *id);

/* The path of a cgroup below the mount; false if it is gone. */
bool cgroup_path(__u64 id, char *path, size_t size);

#endif
