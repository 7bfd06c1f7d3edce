// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/cgroup.h"
#include "../lib/fmt.h"
#include "../lib/json.h"
#include "../lib/maps.h"
#include "../lib/tool.h"
#include "../lib/value.h"
#include "owners.h"
#include "show.h"

/* Maximum number of map entries in text; JSON has all. */
#define MAX_ENTRIES 20

static const char *cgroup_text(__u64 id, char *text, size_t size)
{
	if (!id)
		return "all";
	if (!cgroup_path(id, text, size))
		snprintf(text, size, "%" PRIu64 " (gone)", (uint64_t)id);
	return text;
}

static struct json_object *policy_json(const struct attached *policy)
{
	struct json_object *out = json_object_new_object();
	struct json_object *hooks = json_object_new_array();
	char path[PATH_MAX];

	json_add_text(out, "name", policy->name);
	json_add_s64(out, "priority", policy->priority);
	json_add_u64(out, "cgroup_id", policy->cgroup_id);
	json_add_text(out, "cgroup",
		      policy->cgroup_id && cgroup_path(policy->cgroup_id, path,
						       sizeof(path)) ?
			      path :
			      "");
	json_add_u64(out, "link_id", policy->link_id);
	json_add_text(out, "pin", policy->pin);
	for (size_t i = 0; i < policy->nr_hooks; i++)
		json_object_array_add(hooks,
				      json_object_new_string(policy->hooks[i]));
	json_add(out, "hooks", hooks);
	return out;
}

void show_list(const struct attached *list, size_t nr, bool json)
{
	char path[PATH_MAX], name[sizeof(list->name)];

	if (!json)
		printf("%-15s %11s %6s %-12s %s\n", "NAME", "PRIORITY", "LINK",
		       "PINNED", "CGROUP");
	for (size_t i = 0; i < nr; i++) {
		if (json)
			json_print(policy_json(&list[i]));
		else
			printf("%-15s %11d %6u %-12s %s\n",
			       fmt_name(name, sizeof(name), list[i].name),
			       list[i].priority, list[i].link_id,
			       *list[i].pin ? "yes" : "no",
			       cgroup_text(list[i].cgroup_id, path,
					   sizeof(path)));
	}
}

/* The value, or the sum over all CPUs. */
static struct json_object *value_of(const struct map *map, const char *value)
{
	__u32 type = map->info.btf_value_type_id;
	struct json_object *out = value_json(map->btf, type, value);

	for (int cpu = 1; cpu < map->cpus; cpu++)
		value_add(out, value_json(map->btf, type,
					  value + cpu * map_stride(map)));
	return out;
}

static bool is_array(const struct map *map)
{
	return map->info.type == BPF_MAP_TYPE_ARRAY ||
	       map->info.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/*
 * A value of an array, or {"key": ..., "value": ...} of a hash; with the path if
 * the key is a cgroup, "" if that is gone.
 */
static struct json_object *entry_json(const struct maps *maps,
				      const struct map *map, const void *key,
				      const void *value)
{
	struct json_object *entry, *content;
	char path[PATH_MAX];
	__u64 cgroup;

	content = value_of(map, value);
	if (is_array(map))
		return content;
	entry = json_object_new_object();
	json_add(entry, "key",
		 map->info.btf_key_type_id ?
			 value_json(map->btf, map->info.btf_key_type_id, key) :
			 NULL);
	json_add(entry, "value", content);
	if (owners_cgroup(maps, map, key, &cgroup))
		json_add_text(entry, "cgroup",
			      cgroup_path(cgroup, path, sizeof(path)) ? path :
									"");
	return entry;
}

/* The only value of an array of size one, such as settings and variables. */
static struct json_object *content_json(const struct maps *maps,
					const struct map *map)
{
	struct json_object *out = json_object_new_array(), *only;
	char *key = tool_memory(calloc(1, map->info.key_size));
	char *value = tool_memory(calloc(1, map_lookup_size(map)));
	void *before = NULL;

	while (!bpf_map_get_next_key(map->fd, before, key)) {
		before = key;
		if (!bpf_map_lookup_elem(map->fd, key, value))
			json_object_array_add(out, entry_json(maps, map, key,
							      value));
	}
	free(key);
	free(value);
	if (!is_array(map) || map->info.max_entries != 1)
		return out;
	only = json_object_get(json_object_array_get_idx(out, 0));
	json_object_put(out);
	return only;
}

/* Prints an object as "a=1 b=2", and everything else as its text. */
static void print_value(struct json_object *value)
{
	const char *space = "";

	if (!json_object_is_type(value, json_type_object)) {
		printf("%s", json_object_get_string(value) ?: "?");
		return;
	}
	json_object_object_foreach(value, name, member)
	{
		printf("%s%s=%s", space, name, json_object_get_string(member));
		space = " ";
	}
}

static void print_entries(struct json_object *entries)
{
	size_t nr = json_object_array_length(entries);

	for (size_t i = 0; i < nr && i < MAX_ENTRIES; i++) {
		struct json_object *entry, *key, *value, *cgroup;
		const char *path;

		entry = json_object_array_get_idx(entries, i);
		printf("        ");
		if (json_object_object_get_ex(entry, "key", &key) &&
		    json_object_object_get_ex(entry, "value", &value)) {
			print_value(key);
			if (json_object_object_get_ex(entry, "cgroup",
						      &cgroup)) {
				path = json_object_get_string(cgroup);
				printf(" (%s)", *path ? path : "gone");
			}
			printf(": ");
			entry = value;
		}
		print_value(entry);
		putchar('\n');
	}
	if (nr > MAX_ENTRIES)
		printf("        and %zu more: --json shows all\n",
		       nr - MAX_ENTRIES);
}

static void print_map(const struct maps *maps, const struct map *map,
		      const char *name)
{
	struct json_object *content;

	if (!map_is_readable(map)) {
		printf("    %s: a map of type %s\n", name,
		       libbpf_bpf_map_type_str(map->info.type) ?: "unknown");
		return;
	}
	content = content_json(maps, map);
	if (json_object_is_type(content, json_type_array)) {
		printf("    %s: %zu of at most %u\n", name,
		       json_object_array_length(content),
		       map->info.max_entries);
		print_entries(content);
	} else {
		printf("    %s: ", name);
		print_value(content);
		putchar('\n');
	}
	json_object_put(content);
}

static const char *map_name(const struct map *map)
{
	if (!map->section)
		return map->info.name;
	return map->settings ? "settings" : "statistics";
}

static void print_policy(const struct attached *policy, const struct maps *maps)
{
	char path[PATH_MAX], name[sizeof(policy->name)];

	printf("%s\n    priority %d, cgroup %s\n",
	       fmt_name(name, sizeof(name), policy->name), policy->priority,
	       cgroup_text(policy->cgroup_id, path, sizeof(path)));
	printf("    link %u, %s%s\n    asked:", policy->link_id,
	       *policy->pin ? "pinned as " : "not pinned by iommufd-policy",
	       policy->pin);
	for (size_t i = 0; i < policy->nr_hooks; i++)
		printf(" %s", policy->hooks[i]);
	putchar('\n');
	for (size_t i = 0; i < maps->nr; i++)
		if (maps->maps[i].settings)
			print_map(maps, &maps->maps[i],
				  map_name(&maps->maps[i]));
	for (size_t i = 0; i < maps->nr; i++)
		if (!maps->maps[i].settings)
			print_map(maps, &maps->maps[i],
				  map_name(&maps->maps[i]));
}

/* Adds the members of @content to @to. */
static void merge(struct json_object *to, struct json_object *content)
{
	json_object_object_foreach(content, name, member)
		json_add(to, name, json_object_get(member));
	json_object_put(content);
}

static void print_policy_json(const struct attached *policy,
			      const struct maps *maps)
{
	struct json_object *line = policy_json(policy);
	struct json_object *settings = json_object_new_object();
	struct json_object *statistics = json_object_new_object();

	for (size_t i = 0; i < maps->nr; i++) {
		const struct map *map = &maps->maps[i];
		struct json_object *content;

		if (!map_is_readable(map))
			continue;
		content = content_json(maps, map);
		if ((map->settings || map->section) &&
		    json_object_is_type(content, json_type_object))
			merge(map->settings ? settings : statistics, content);
		else
			json_add(map->settings ? settings : statistics,
				 map->info.name, content);
	}
	json_add(line, "settings", settings);
	json_add(line, "statistics", statistics);
	json_print(line);
}

void show_policy(const struct attached *policy, bool json)
{
	struct maps maps;

	maps_of(&maps, policy);
	if (json)
		print_policy_json(policy, &maps);
	else
		print_policy(policy, &maps);
	maps_free(&maps);
}
