// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include "../../bpf/policy_pinlimit.h"
#include "../lib/attached.h"
#include "../lib/cgroup.h"
#include "../lib/env.h"
#include "../lib/fmt.h"
#include "../lib/maps.h"
#include "facts.h"
#include "pinlimit.h"

#define ROOT "/sys/fs/cgroup"

/**
 * struct limit - a limit that a request would have exceeded
 * @owner: whose limit it is
 * @pinned: bytes that the owner has pinned now
 * @most: the limit in bytes
 */
struct limit {
	struct pinlimit_owner owner;
	__u64 pinned;
	__u64 most;
};

/* The map with this name and these sizes, or NULL. */
static const struct map *map_of(const struct maps *maps, const char *name,
				size_t key_size, size_t value_size)
{
	for (size_t i = 0; i < maps->nr; i++) {
		const struct bpf_map_info *info = &maps->maps[i].info;

		if (!strcmp(info->name, name) && info->key_size == key_size &&
		    info->value_size == value_size)
			return &maps->maps[i];
	}
	return NULL;
}

/* Sets all but the id of the owner. */
static bool read_limit(struct limit *limit, const struct maps *maps)
{
	struct pinlimit_settings set;
	struct pinlimit_usage usage;
	const struct map *settings, *limits, *owners;
	__u32 zero = 0;

	settings = map_of(maps, "settings", sizeof(zero), sizeof(set));
	limits = map_of(maps, "limits", sizeof(__u64), sizeof(__u64));
	owners = map_of(maps, "owners", sizeof(limit->owner), sizeof(usage));
	if (!settings || !limits || !owners ||
	    bpf_map_lookup_elem(settings->fd, &zero, &set))
		return false;
	limit->owner.by = set.by;
	if (bpf_map_lookup_elem(owners->fd, &limit->owner, &usage))
		return false;
	limit->pinned = usage.bytes;
	if (bpf_map_lookup_elem(limits->fd, &limit->owner.id, &limit->most))
		limit->most = set.limit;
	return limit->most;
}

static bool find(const struct failure *f, struct limit *limit)
{
	struct attached *list, *policy;
	bool found = false;
	struct maps maps;
	size_t nr;

	if (!(env_capabilities() >> CAP_SYS_ADMIN & 1))
		return false;
	list = attached_list(&nr);
	if (!list)
		return false;
	limit->owner.id = f->fail.second;
	policy = attached_find(list, nr, f->fail.policy, false);
	if (policy) {
		maps_of(&maps, policy);
		found = read_limit(limit, &maps);
		maps_free(&maps);
	}
	attached_free(list, nr);
	return found;
}

static void owner_text(const struct limit *limit, char *text)
{
	uint64_t id = limit->owner.id;
	char path[PATH_MAX], name[FACT_SIZE / 2];

	if (limit->owner.by == USER)
		snprintf(text, FACT_SIZE, "user %" PRIu64, id);
	else if (limit->owner.by == PROCESS)
		snprintf(text, FACT_SIZE, "process %" PRIu64, id);
	else if (cgroup_path(id, path, sizeof(path)))
		snprintf(text, FACT_SIZE, "cgroup %s",
			 fmt_name(name, sizeof(name), path));
	else
		snprintf(text, FACT_SIZE, "cgroup %" PRIu64 " (removed)", id);
}

bool find_pinlimit(const struct failure *failure, char *text)
{
	char owner[FACT_SIZE], pinned[FMT_LEN], most[FMT_LEN];
	struct limit limit;

	if (!find(failure, &limit))
		return false;
	owner_text(&limit, owner);
	snprintf(text, FACT_SIZE, "%.400s has %s pinned, of at most %s", owner,
		 fmt_bytes(pinned, limit.pinned), fmt_bytes(most, limit.most));
	return true;
}

/* The key of a limit: a path below the mount, or a number. */
static void key_text(const struct limit *limit, char *text)
{
	char path[PATH_MAX];

	snprintf(text, FACT_SIZE, "%" PRIu64, (uint64_t)limit->owner.id);
	if (limit->owner.by != CGROUP ||
	    !cgroup_path(limit->owner.id, path, sizeof(path)) ||
	    strncmp(path, ROOT, strlen(ROOT)))
		return;
	fmt_name(text, FACT_SIZE / 2,
		 path[strlen(ROOT)] ? path + strlen(ROOT) + 1 : "/");
}

bool find_raise(const struct failure *failure, char *text)
{
	char key[FACT_SIZE], policy[sizeof(failure->fail.policy)];
	struct limit limit;

	if (!find(failure, &limit))
		return false;
	key_text(&limit, key);
	snprintf(text, FACT_SIZE,
		 "iommufd-policy set %s 'limits[%.400s]=BYTES'",
		 fmt_name(policy, sizeof(policy), failure->fail.policy), key);
	return true;
}
