/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Policies that are attached, by this program or another. */
#ifndef __ATTACHED_H
#define __ATTACHED_H

#include <bpf/btf.h>
#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MAX_HOOKS 16

/**
 * struct attached - a policy that is attached
 * @link_fd: its link
 * @link_id: id of that
 * @name: its name
 * @priority: the higher is asked first
 * @cgroup_id: 0 for all requests
 * @pin: file that keeps it attached, "" if it is none of ours
 * @hooks: names of its functions, kept by the kernel's BTF
 * @progs: ids of its programs, one for each of @hooks
 * @nr_hooks: how many
 */
struct attached {
	int link_fd;
	__u32 link_id;
	char name[16];
	__s32 priority;
	__u64 cgroup_id;
	char pin[PATH_MAX];
	const char *hooks[MAX_HOOKS];
	__u32 progs[MAX_HOOKS];
	size_t nr_hooks;
};

/*
 * All there are, in the order in which they are asked; *@nr: how many. NULL if
 * they can't be found; why was said.
 */
struct attached *attached_list(size_t *nr);

void attached_free(struct attached *list, size_t nr);

/*
 * The one of this name, or else with this link id. NULL if there is none, or
 * more than one; said if @say.
 */
struct attached *attached_find(struct attached *list, size_t nr,
			       const char *name, bool say);

/*
 * BTF of the kernel that has struct iommufd_bpf_ops, and the type of maps of
 * it. NULL if it has none; why was said.
 */
const struct btf *attached_btf(__u32 *type);

#endif
