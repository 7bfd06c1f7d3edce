// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <string.h>
#include "pinlimit.h"

/* The descriptor of the map with this name and these sizes, or -1. */
static int find(const struct maps *maps, const char *name, size_t key_size,
		size_t value_size)
{
	for (size_t i = 0; i < maps->nr; i++) {
		const struct bpf_map_info *info = &maps->maps[i].info;

		if (!strcmp(info->name, name) && info->key_size == key_size &&
		    info->value_size == value_size)
			return maps->maps[i].fd;
	}
	return -1;
}

bool pinlimit_find(struct pinlimit *pinlimit, const struct maps *maps)
{
	__u32 zero = 0;
	int settings;

	settings = find(maps, "settings", sizeof(zero), sizeof(pinlimit->set));
	pinlimit->limits = find(maps, "limits", sizeof(__u64), sizeof(__u64));
	pinlimit->owners = find(maps, "owners", sizeof(struct pinlimit_owner),
				sizeof(struct pinlimit_usage));
	return settings >= 0 && pinlimit->limits >= 0 &&
	       pinlimit->owners >= 0 &&
	       !bpf_map_lookup_elem(settings, &zero, &pinlimit->set);
}

__u64 pinlimit_limit(const struct pinlimit *pinlimit,
		     const struct pinlimit_owner *owner,
		     const struct pinlimit_usage *usage)
{
	__u64 id = owner->id, limit;

	if (owner->by != pinlimit->set.by)
		return 0;
	if (!bpf_map_lookup_elem(pinlimit->limits, &id, &limit))
		return limit;
	return usage->own ? pinlimit->set.limit : 0;
}
