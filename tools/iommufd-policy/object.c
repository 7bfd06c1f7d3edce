// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/cgroup.h"
#include "../lib/err.h"
#include "../lib/maps.h"
#include "../lib/tool.h"
#include "../lib/value.h"
#include "object.h"

#define POLICY_TYPE "iommufd_bpf_ops"
#define LOG_SIZE    (1 << 20)
/* BPF_F_LINK, newer than the oldest <linux/bpf.h> that this builds with. */
#define LINK_FLAG (1U << 13)

/* The verifier's log for the program that it checked last. */
static char *verifier_log;

/*
 * @file may be the name of a bundled policy; bundled policies are located
 *	relative
 * to the program, whether it is installed or not.
 */
static void find_file(char *path, const char *file)
{
	static const char *const folders[] = { "lib/iommufd-bpf", "tools" };
	char self[PATH_MAX], found[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	snprintf(path, PATH_MAX, "%s", file);
	if (strchr(file, '/') || !access(file, F_OK) || length < 0)
		return;
	self[length] = '\0';
	dirname(dirname(self));
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		int used = snprintf(found, sizeof(found),
				    "%s/%s/policy_%s.bpf.o", self, folders[i],
				    file);

		if (used < PATH_MAX && !access(found, R_OK))
			strcpy(path, found);
	}
}

static bool is_policy(const struct object *object, const struct bpf_map *map)
{
	const struct btf *btf = bpf_object__btf(object->obj);
	const struct btf_type *t;

	if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
		return false;
	t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	return t && !strcmp(btf__name_by_offset(btf, t->name_off), POLICY_TYPE);
}

/* Chooses one of several policies; the others are not loaded. */
static bool choose(struct object *object, const char *wanted)
{
	char names[256] = "";
	struct bpf_map *map;
	size_t nr = 0;

	bpf_object__for_each_map(map, object->obj) {
		const char *name = bpf_map__name(map);
		size_t used = strlen(names);

		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		bpf_map__set_autocreate(map, false);
		if (!is_policy(object, map))
			continue;
		snprintf(names + used, sizeof(names) - used, "%s%s",
			 used ? ", " : "", name);
		if (wanted && strcmp(name, wanted))
			continue;
		object->map = map;
		nr++;
	}
	if (!*names)
		err_say("%s is not an iommufd policy: it has no struct %s",
			object->path, POLICY_TYPE);
	else if (!nr)
		err_say("%s has no policy '%s', but %s", object->path, wanted,
			names);
	else if (nr > 1)
		err_say("%s has several policies, choose one with --policy: %s",
			object->path, names);
	else if (!(bpf_map__map_flags(object->map) & LINK_FLAG))
		err_say("%s: a policy can only be attached by link: put it into the section .struct_ops.link",
			object->path);
	else
		return !bpf_map__set_autocreate(object->map, true);
	return false;
}

/* A member of the policy, NULL if it has no member of that name. */
static void *member(const struct object *object, const char *name)
{
	char *policy = bpf_map__initial_value(object->map, NULL);
	__u32 type, offset;

	if (!value_member(bpf_object__btf(object->obj),
			  bpf_map__btf_value_type_id(object->map), name, &type,
			  &offset))
		return NULL;
	return policy + offset;
}

/* Returns false if the policy has no such member. */
static bool set_member(const struct object *object, const char *name,
		       const void *value, size_t size)
{
	void *to = member(object, name);

	if (to)
		memcpy(to, value, size);
	else
		err_say("%s: its struct %s has no %s", object->path,
			POLICY_TYPE, name);
	return to;
}

static bool set_members(struct object *object, const struct options *options,
			const struct attached *old)
{
	__s32 priority = options->has_priority ? options->priority :
			 old		       ? old->priority :
						 0;
	const char *new = old ? old->name : options->new_name;
	__u64 cgroup = old ? old->cgroup_id : 0;
	const char *name = member(object, "name");

	if (options->cgroup && *options->cgroup &&
	    !cgroup_find(options->cgroup, &cgroup))
		return false;
	if (options->cgroup && !*options->cgroup)
		cgroup = 0;
	if ((options->has_priority || old) &&
	    !set_member(object, "priority", &priority, sizeof(priority)))
		return false;
	if ((options->cgroup || old) &&
	    !set_member(object, "cgroup_id", &cgroup, sizeof(cgroup)))
		return false;
	if (new)
		snprintf(object->name, sizeof(object->name), "%s", new);
	else if (name)
		memcpy(object->name, name, sizeof(object->name) - 1);
	if (!*object->name || *object->name == '.' ||
	    strchr(object->name, '/')) {
		err_say("%s: the name of the policy is not a valid file name: set one with --name",
			object->path);
		return false;
	}
	return set_member(object, "name", object->name, sizeof(object->name));
}

bool object_open(struct object *object, const struct options *options,
		 const struct attached *old)
{
	LIBBPF_OPTS(bpf_object_open_opts, open);

	*object = (struct object){};
	verifier_log = tool_memory(calloc(1, LOG_SIZE));
	open.kernel_log_buf = verifier_log;
	open.kernel_log_size = LOG_SIZE;
	find_file(object->path, options->file);
	object->obj = bpf_object__open_file(object->path, &open);
	if (!object->obj) {
		/* libbpf's own error codes start at 4000. */
		err_say("can't open %s: %s", object->path,
			errno >= __LIBBPF_ERRNO__START || errno == EINVAL ?
				"it is not a BPF object" :
				strerror(errno));
		object_close(object);
		return false;
	}
	if (choose(object, options->policy) &&
	    set_members(object, options, old))
		return true;
	object_close(object);
	return false;
}

/* Whether two values have the same layout: names and order of all members. */
static bool is_shaped_alike(const struct btf *a, __u32 a_type,
			    const struct btf *b, __u32 b_type, size_t size)
{
	struct json_object *left, *right;
	char *zero;
	bool alike;

	/* The kernel's BTF and that of a file have different type ids. */
	if (!a || !b || !a_type || !b_type)
		return !a_type && !b_type;
	zero = tool_memory(calloc(1, size));
	left = value_json(a, a_type, zero);
	right = value_json(b, b_type, zero);
	alike = !strcmp(json_object_to_json_string(left),
			json_object_to_json_string(right));
	json_object_put(left);
	json_object_put(right);
	free(zero);
	return alike;
}

static bool is_same(const struct object *object, const struct bpf_map *map,
		    const struct map *old)
{
	const struct btf *btf = bpf_object__btf(object->obj);
	const struct bpf_map_info *info = &old->info;

	return !strncmp(bpf_map__name(map), info->name,
			sizeof(info->name) - 1) &&
	       bpf_map__type(map) == info->type &&
	       bpf_map__key_size(map) == info->key_size &&
	       bpf_map__value_size(map) == info->value_size &&
	       bpf_map__max_entries(map) == info->max_entries &&
	       bpf_map__map_flags(map) == info->map_flags &&
	       is_shaped_alike(btf, bpf_map__btf_value_type_id(map), old->btf,
			       info->btf_value_type_id, info->value_size);
}

/* Keeps settings and statistics, in the maps that both policies have. */
static void inherit(struct object *object, const struct attached *old)
{
	struct bpf_map *map;
	struct maps maps;

	maps_of(&maps, old);
	bpf_object__for_each_map(map, object->obj) {
		if (bpf_map__is_internal(map))
			continue;
		for (size_t i = 0; i < maps.nr; i++)
			if (is_same(object, map, &maps.maps[i]))
				bpf_map__reuse_fd(map, maps.maps[i].fd);
	}
	maps_free(&maps);
}

/* Sets a variable before loading: some are frozen afterwards. */
static bool set_variable(const struct object *object, const char *setting,
			 bool *found)
{
	const struct btf *btf = bpf_object__btf(object->obj);
	const char *equal = strchr(setting, '='), *wrong;
	char name[64];
	struct bpf_map *map;
	__u32 type, offset;

	snprintf(name, sizeof(name), "%.*s", (int)(equal - setting), setting);
	bpf_object__for_each_map(map, object->obj) {
		/* Without the size, libbpf crashes if the map is a section. */
		size_t length;
		char *value = bpf_map__initial_value(map, &length);
		__u32 section = bpf_map__btf_value_type_id(map);

		if (!bpf_map__is_internal(map) || !value || !section ||
		    strstr(bpf_map__name(map), ".bss") ||
		    !value_member(btf, section, name, &type, &offset))
			continue;
		wrong = value_parse(btf, type, value + offset, equal + 1);
		if (wrong)
			err_say("can't set %s to '%s': %s", name, equal + 1,
				wrong);
		*found = true;
		return !wrong;
	}
	return true;
}

bool object_charges(const struct object *object)
{
	const struct bpf_program *program = NULL;
	const void *charge = member(object, "charge");

	if (charge)
		memcpy(&program, charge, sizeof(program));
	return program;
}

/* The maps of a loaded object. */
static void maps_of_object(struct maps *maps, const struct object *object)
{
	struct bpf_map *map;

	maps->nr = 0;
	bpf_object__for_each_map(map, object->obj)
		if (bpf_map__fd(map) >= 0)
			maps_add(maps, dup(bpf_map__fd(map)));
}

/* The last line of @text that is not statistics; truncates @text after it. */
static const char *last_line(char *text)
{
	static const char *const unwanted[] = { "processed ",
						"verification time",
						"stack depth", "-- END",
						"mark_precise" };

	for (;;) {
		char *end = text + strlen(text), *line;
		bool wanted = true;

		while (end > text && strchr(" \n", end[-1]))
			*--end = '\0';
		line = strrchr(text, '\n');
		line = line ? line + 1 : text;
		for (size_t i = 0; i < sizeof(unwanted) / sizeof(*unwanted);
		     i++)
			wanted &= strncmp(line, unwanted[i],
					  strlen(unwanted[i])) != 0;
		if (wanted || line == text)
			return line;
		*line = '\0';
	}
}

/* Reports in one sentence why the kernel does not accept the object. */
static void say_refused(const struct object *object, int error, bool verbose)
{
	const char *log = err_libbpf_log(), *prog = strstr(log, "prog '");
	char copy[8192];

	if (verbose && *verifier_log)
		fputs(verifier_log, stderr);
	if (*verifier_log && prog) {
		err_say("the verifier rejects %.*s of %s: %s",
			(int)strcspn(prog + strlen("prog '"), "'"),
			prog + strlen("prog '"), object->path,
			last_line(verifier_log));
		err_advise("-v shows the whole log.");
	} else if (*verifier_log) {
		err_say("the verifier rejects %s: %s", object->path,
			last_line(verifier_log));
	} else {
		snprintf(copy, sizeof(copy), "%s", log);
		/* The first message is the cause. */
		copy[strcspn(copy, "\n")] = '\0';
		err_say("the kernel does not accept %s: %s", object->path,
			strncmp(copy, "libbpf: ", 8) ? strerror(error) :
						       copy + 8);
	}
}

bool object_load(struct object *object, const struct options *options,
		 const struct attached *old)
{
	bool is_variable[MAX_SETTINGS] = {};
	struct maps maps;
	bool good = true;
	int err;

	for (size_t i = 0; i < options->nr_settings; i++)
		if (!set_variable(object, options->settings[i],
				  &is_variable[i]))
			return false;
	if (old && !options->fresh)
		inherit(object, old);
	err = bpf_object__load(object->obj);
	if (err) {
		say_refused(object, -err, options->common.verbose);
		return false;
	}
	maps_of_object(&maps, object);
	for (size_t i = 0; good && i < options->nr_settings; i++)
		if (!is_variable[i])
			good = maps_set(&maps, options->settings[i]);
	maps_free(&maps);
	return good;
}

/* Fills in the kernel's form of the policy: file descriptors of programs. */
static bool fill_value(const struct object *object, char *value)
{
	const struct btf_type *t;
	const struct btf_member *m;
	const struct btf *btf;
	__u32 type, data, offset;

	btf = attached_btf(&type);
	if (!btf || !value_member(btf, type, "data", &data, &offset))
		return false;
	t = btf__type_by_id(btf, value_type(btf, data));
	m = btf_members(t);
	for (__u16 i = 0; i < btf_vlen(t); i++, m++) {
		const void *from =
			member(object, btf__name_by_offset(btf, m->name_off));
		char *to = value + offset + btf_member_bit_offset(t, i) / 8;
		__u32 id = value_type(btf, m->type);

		if (!from)
			continue;
		if (btf_is_ptr(btf__type_by_id(btf, id))) {
			struct bpf_program *prog;
			__u64 fd;

			memcpy(&prog, from, sizeof(prog));
			fd = prog ? bpf_program__fd(prog) : 0;
			memcpy(to, &fd, sizeof(fd));
		} else {
			memcpy(to, from, btf__resolve_size(btf, id));
		}
	}
	return true;
}

/*
 * libbpf does this only as part of attaching, and updates only links that the
 * same process has attached.
 */
int object_ready(struct object *object)
{
	int fd = bpf_map__fd(object->map), err = -EINVAL;
	__u32 zero = 0;
	char *value;

	value = tool_memory(calloc(1, bpf_map__value_size(object->map)));
	if (fill_value(object, value))
		err = bpf_map_update_elem(fd, &zero, value, 0);
	free(value);
	if (!err)
		return fd;
	err_say("the kernel does not accept the policy of %s: %s", object->path,
		strerror(-err));
	return -1;
}

void object_close(struct object *object)
{
	bpf_object__close(object->obj);
	object->obj = NULL;
	free(verifier_log);
	verifier_log = NULL;
}
