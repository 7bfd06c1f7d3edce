// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/tool.h"
#include "../lib/value.h"
#include "owners.h"

/* Whether a structure has a member "by" that is CGROUP. */
static bool is_by_cgroup(const struct btf *btf, __u32 type, const char *data)
{
	__u32 by, offset;
	const char *name;

	if (!btf || !value_member(btf, type, "by", &by, &offset))
		return false;
	name = value_enumerator(btf, by, data + offset);
	return name && !strcmp(name, "CGROUP");
}

static bool is_set_by_cgroup(const struct maps *maps)
{
	bool found = false;

	for (size_t i = 0; !found && i < maps->nr; i++) {
		const struct map *map = &maps->maps[i];
		__u32 zero = 0;
		char *value;

		if (!map->settings || map_is_keyed(map) ||
		    !map_is_readable(map))
			continue;
		value = tool_memory(calloc(1, map->info.value_size));
		found = !bpf_map_lookup_elem(map->fd, &zero, value) &&
			is_by_cgroup(map->btf, map->info.btf_value_type_id,
				     value);
		free(value);
	}
	return found;
}

bool owners_cgroup(const struct maps *maps, const struct map *map,
		   const void *key, __u64 *id)
{
	__u32 type = map->info.btf_key_type_id, member, offset;

	if (map_is_keyed(map)) {
		memcpy(id, key, sizeof(*id));
		return is_set_by_cgroup(maps);
	}
	if (!type || !is_by_cgroup(map->btf, type, key) ||
	    !value_member(map->btf, type, "id", &member, &offset) ||
	    offset + sizeof(*id) > map->info.key_size)
		return false;
	memcpy(id, (const char *)key + offset, sizeof(*id));
	return true;
}
