// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * By convention, the settings of a policy are in a map named "settings" with
 * one element, a structure; variables in .data and .rodata are settings, too. A
 * hash named "limits" has settings of single owners, by their number. All other
 * maps are statistics.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cgroup.h"
#include "err.h"
#include "maps.h"
#include "tool.h"
#include "value.h"

static bool is_known(const struct maps *maps, __u32 id)
{
	for (size_t i = 0; i < maps->nr; i++)
		if (maps->maps[i].info.id == id)
			return true;
	return false;
}

static int count_cpus(const struct map *map)
{
	switch (map->info.type) {
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return libbpf_num_possible_cpus();
	default:
		return 0;
	}
}

static void add_types(struct map *map)
{
	const struct btf_type *t;

	if (!map->info.btf_id)
		return;
	map->btf = btf__load_from_kernel_by_id(map->info.btf_id);
	if (!map->btf || !map->info.btf_value_type_id)
		return;
	t = btf__type_by_id(map->btf, map->info.btf_value_type_id);
	if (btf_is_datasec(t))
		map->section = btf__name_by_offset(map->btf, t->name_off);
	if (map->section)
		map->settings = strcmp(map->section, ".bss");
	else
		map->settings = !map->cpus &&
				(!strcmp(map->info.name, "settings") ||
				 map_is_keyed(map));
}

bool map_is_keyed(const struct map *map)
{
	return map->info.type == BPF_MAP_TYPE_HASH &&
	       map->info.key_size == sizeof(__u64) &&
	       !strcmp(map->info.name, "limits");
}

void maps_add(struct maps *maps, int fd)
{
	struct map *map = &maps->maps[maps->nr];
	__u32 size = sizeof(map->info);

	*map = (struct map){ .fd = fd };
	if (fd < 0)
		return;
	if (maps->nr == MAX_MAPS - 1 ||
	    bpf_map_get_info_by_fd(fd, &map->info, &size) ||
	    map->info.type == BPF_MAP_TYPE_STRUCT_OPS ||
	    is_known(maps, map->info.id)) {
		close(fd);
		return;
	}
	map->cpus = count_cpus(map);
	add_types(map);
	maps->nr++;
}

static void add_maps_of(struct maps *maps, __u32 prog_id)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info), ids[MAX_MAPS];
	int fd = bpf_prog_get_fd_by_id(prog_id);

	if (fd < 0)
		return;
	info.nr_map_ids = MAX_MAPS;
	info.map_ids = (unsigned long)ids;
	if (!bpf_prog_get_info_by_fd(fd, &info, &size))
		for (__u32 i = 0; i < info.nr_map_ids && i < MAX_MAPS; i++)
			maps_add(maps, bpf_map_get_fd_by_id(ids[i]));
	close(fd);
}

void maps_of(struct maps *maps, const struct attached *policy)
{
	maps->nr = 0;
	for (size_t i = 0; i < policy->nr_hooks; i++)
		add_maps_of(maps, policy->progs[i]);
}

void maps_free(struct maps *maps)
{
	for (size_t i = 0; i < maps->nr; i++) {
		btf__free(maps->maps[i].btf);
		close(maps->maps[i].fd);
	}
	maps->nr = 0;
}

bool map_is_readable(const struct map *map)
{
	if (!map->btf || !map->info.btf_value_type_id)
		return false;
	switch (map->info.type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
		return true;
	default:
		return map->cpus > 0;
	}
}

size_t map_stride(const struct map *map)
{
	return (map->info.value_size + 7) & ~7UL;
}

size_t map_lookup_size(const struct map *map)
{
	return map->cpus ? map->cpus * map_stride(map) : map->info.value_size;
}

static bool has_setting(const struct map *map, const char *name, __u32 *type,
			__u32 *offset)
{
	return map->settings && map_is_readable(map) &&
	       value_member(map->btf, map->info.btf_value_type_id, name, type,
			    offset);
}

static bool set(const struct map *map, const char *name, __u32 type,
		__u32 offset, const char *text)
{
	char *value = tool_memory(calloc(1, map->info.value_size));
	const char *wrong = NULL;
	__u32 zero = 0;
	int err;

	err = bpf_map_lookup_elem(map->fd, &zero, value);
	if (!err)
		wrong = value_parse(map->btf, type, value + offset, text);
	if (!err && !wrong)
		err = bpf_map_update_elem(map->fd, &zero, value, 0);
	free(value);
	if (err == -EPERM)
		wrong = "it can only be set at load";
	else if (err)
		wrong = strerror(-err);
	if (wrong)
		err_say("can't set %s to '%s': %s", name, text, wrong);
	return !wrong;
}

/* A key is a number, or the path of a cgroup. */
static bool parse_key(const char *text, __u64 *key)
{
	char *end;

	errno = 0;
	*key = strtoull(text, &end, 0);
	if (end != text && !*end && !errno && *text != '-')
		return true;
	return cgroup_find(text, key);
}

static bool set_keyed(const struct map *map, const char *name,
		      const char *key_text, const char *text)
{
	char *value = tool_memory(calloc(1, map->info.value_size));
	const char *wrong = NULL;
	__u64 key;
	int err = 0;

	if (!parse_key(key_text, &key)) {
		free(value);
		return false;
	}
	if (*text) {
		wrong = value_parse(map->btf, map->info.btf_value_type_id,
				    value, text);
		if (!wrong)
			err = bpf_map_update_elem(map->fd, &key, value, 0);
	} else {
		err = bpf_map_delete_elem(map->fd, &key);
	}
	free(value);
	/* Without a value, it need not exist. */
	if (err && !(err == -ENOENT && !*text))
		wrong = err == -E2BIG ? "the map is full" : strerror(-err);
	if (wrong)
		err_say("can't set %s[%s] to '%s': %s", name, key_text, text,
			wrong);
	return !wrong;
}

/* NAME[KEY]=VALUE; sets *@done if the setting has this form. */
static bool maps_set_keyed(const struct maps *maps, const char *setting,
			   bool *done)
{
	const char *open = strchr(setting, '['), *close;
	char name[64], key[PATH_MAX];

	close = open ? strstr(open, "]=") : NULL;
	if (!close || open > strchr(setting, '='))
		return true;
	*done = true;
	snprintf(name, sizeof(name), "%.*s", (int)(open - setting), setting);
	snprintf(key, sizeof(key), "%.*s", (int)(close - open - 1), open + 1);
	for (size_t i = 0; i < maps->nr; i++)
		if (map_is_keyed(&maps->maps[i]) &&
		    map_is_readable(&maps->maps[i]) &&
		    !strcmp(maps->maps[i].info.name, name))
			return set_keyed(&maps->maps[i], name, key, close + 2);
	err_say("the policy has no settings '%s' of single owners", name);
	return false;
}

bool maps_set(const struct maps *maps, const char *setting)
{
	const char *equal = strchr(setting, '=');
	char name[64], names[512];
	__u32 type, offset;
	bool done = false, good;

	good = maps_set_keyed(maps, setting, &done);
	if (done)
		return good;
	snprintf(name, sizeof(name), "%.*s", (int)(equal - setting), setting);
	for (size_t i = 0; i < maps->nr; i++)
		if (has_setting(&maps->maps[i], name, &type, &offset))
			return set(&maps->maps[i], name, type, offset,
				   equal + 1);
	maps_names(maps, names, sizeof(names));
	err_say("the policy has no setting '%s'; it has%s", name,
		*names ? names : " none");
	return false;
}

static void add_names(struct json_object *object, char *text, size_t size)
{
	json_object_object_foreach(object, name, value)
	{
		size_t used = strlen(text);

		(void)value;
		snprintf(text + used, size - used, "%s %s", used ? "," : "",
			 name);
	}
}

void maps_names(const struct maps *maps, char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < maps->nr; i++) {
		const struct map *map = &maps->maps[i];
		struct json_object *object;
		char *zero;

		if (!map->settings || !map_is_readable(map))
			continue;
		zero = tool_memory(calloc(1, map->info.value_size));
		object =
			value_json(map->btf, map->info.btf_value_type_id, zero);
		if (json_object_is_type(object, json_type_object))
			add_names(object, text, size);
		json_object_put(object);
		free(zero);
	}
}
