/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Policies attached by this program or another one. */
#ifndef __LIB_ATTACHED_H
#define __LIB_ATTACHED_H

#include <bpf/btf.h>
#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MAX_HOOKS 16

/**
 * struct attached - a policy that is attached
 * @link_fd: its link
 * @link_id: id of the link
 * @name: its name
 * @priority: policies with a higher one are asked first
 * @cgroup_id: 0 for all requests
 * @pin: file that keeps it attached, "" if iommufd-policy has not pinned it
 * @hooks: names of its functions; these strings belong to the kernel's BTF
 * @progs: ids of its programs, one for each of @hooks
 * @nr_hooks: number of hooks
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
 * All policies in the order in which they are asked; *@nr: their number.
 * Returns NULL after reporting an error.
 */
struct attached *attached_list(size_t *nr);

void attached_free(struct attached *list, size_t nr);

/*
 * The policy with this name, or else with this link id. Returns NULL if there
 * is none or more than one, after reporting that if @say.
 */
struct attached *attached_find(struct attached *list, size_t nr,
			       const char *name, bool say);

/*
 * The kernel's BTF that has struct iommufd_bpf_ops, and the type of its maps.
 * Returns NULL after reporting an error.
 */
const struct btf *attached_btf(__u32 *type);

#endif
