/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_CGROUP_H
#define __LIB_CGROUP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Looks up the id of a cgroup2 cgroup; a relative path may start at the mount,
 * and / is the root.
 * Returns false after reporting an error.
 */
bool cgroup_find(const char *path, __u64 *id);

/*
 * The path of a cgroup, mount point included; false if it was removed, or
 * without CAP_DAC_READ_SEARCH.
 */
bool cgroup_path(__u64 id, char *path, size_t size);

/*
 * Calls @take for each cgroup with its path below the mount: / for the root. It
 * needs no privileges, but reads all directories.
 */
void cgroup_each(void (*take)(void *data, __u64 id, const char *path),
		 void *data);

#endif
