// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include "../lib/attached.h"
#include "../lib/cgroup.h"
#include "../lib/env.h"
#include "../lib/fmt.h"
#include "../lib/maps.h"
#include "../lib/pinlimit.h"
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

/* Sets all but the id of the owner. */
static bool read_limit(struct limit *limit, const struct maps *maps)
{
	struct pinlimit_usage usage;
	struct pinlimit pinlimit;

	if (!pinlimit_find(&pinlimit, maps))
		return false;
	limit->owner.by = pinlimit.set.by;
	if (bpf_map_lookup_elem(pinlimit.owners, &limit->owner, &usage))
		return false;
	limit->pinned = usage.bytes;
	limit->most = pinlimit_limit(&pinlimit, &limit->owner, &usage);
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
