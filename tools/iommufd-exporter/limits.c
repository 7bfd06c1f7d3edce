// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/attached.h"
#include "../lib/cgroup.h"
#include "../lib/env.h"
#include "../lib/pinlimit.h"
#include "../lib/tool.h"
#include "limits.h"

static void add(struct limits *limits, const struct limited *owner)
{
	size_t nr = limits->nr;

	/* The size doubles at powers of 2. */
	if (!(nr & (nr - 1)))
		limits->owners =
			tool_memory(reallocarray(limits->owners,
						 nr ? 2 * nr : 1,
						 sizeof(*limits->owners)));
	limits->owners[limits->nr++] = *owner;
}

static void add_owners(struct limits *limits, const struct attached *policy,
		       const struct pinlimit *pinlimit)
{
	struct pinlimit_owner key;
	struct limited found = {};
	void *last = NULL;

	snprintf(found.policy, sizeof(found.policy), "%s", policy->name);
	/* New owners may come meanwhile, but the walk must end. */
	for (size_t i = 0; i < 2 * PINLIMIT_OWNERS; i++) {
		if (bpf_map_get_next_key(pinlimit->owners, last, &found.owner))
			break;
		key = found.owner;
		last = &key;
		if (key.by != pinlimit->set.by ||
		    bpf_map_lookup_elem(pinlimit->owners, &key, &found.usage))
			continue;
		found.limit = pinlimit_limit(pinlimit, &key, &found.usage);
		add(limits, &found);
	}
}

static void add_policy(struct limits *limits, const struct attached *policy)
{
	struct pinlimit pinlimit;
	struct maps maps;

	maps_of(&maps, policy);
	if (pinlimit_find(&pinlimit, &maps))
		add_owners(limits, policy, &pinlimit);
	maps_free(&maps);
}

/* Other loaders may use a name twice; two samples must not have the same labels. */
static bool is_repeated(const struct attached *list, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(list[j].name, list[i].name))
			return true;
	return false;
}

/* Owners with most memory first; then the order is always the same. */
static int by_memory(const void *a, const void *b)
{
	const struct limited *left = a, *right = b;

	if (left->usage.bytes != right->usage.bytes)
		return left->usage.bytes > right->usage.bytes ? -1 : 1;
	if (left->owner.id != right->owner.id)
		return left->owner.id < right->owner.id ? -1 : 1;
	return strcmp(left->policy, right->policy);
}

static void take_path(void *data, __u64 id, const char *path)
{
	struct limits *limits = data;

	for (size_t i = 0; i < limits->nr; i++) {
		struct limited *owner = &limits->owners[i];

		if (owner->owner.by == CGROUP && owner->owner.id == id &&
		    !owner->cgroup)
			owner->cgroup = tool_memory(strdup(path));
	}
}

static bool has_cgroups(const struct limits *limits)
{
	for (size_t i = 0; i < limits->nr; i++)
		if (limits->owners[i].owner.by == CGROUP)
			return true;
	return false;
}

void limits_read(struct limits *limits)
{
	struct attached *list;
	size_t nr;

	*limits = (struct limits){};
	if (!(env_capabilities() >> CAP_SYS_ADMIN & 1))
		return;
	list = attached_list(&nr);
	if (!list)
		return;
	for (size_t i = 0; i < nr; i++)
		if (!is_repeated(list, i))
			add_policy(limits, &list[i]);
	attached_free(list, nr);
	if (limits->nr)
		qsort(limits->owners, limits->nr, sizeof(*limits->owners),
		      by_memory);
	if (limits->nr > LIMITS_MAX) {
		limits->nr_left_out = limits->nr - LIMITS_MAX;
		limits->nr = LIMITS_MAX;
	}
	if (has_cgroups(limits))
		cgroup_each(take_path, limits);
}

void limits_free(struct limits *limits)
{
	for (size_t i = 0; i < limits->nr; i++)
		free(limits->owners[i].cgroup);
	free(limits->owners);
}
