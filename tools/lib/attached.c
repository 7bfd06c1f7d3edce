// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "attached.h"
#include "err.h"
#include "pins.h"
#include "tool.h"
#include "value.h"

#define VALUE_TYPE "bpf_struct_ops_iommufd_bpf_ops"

/*
 * Fields that are newer than the oldest <linux/bpf.h> that this builds with:
 * the map of a struct_ops link is the first field of those that depend on the
 * link type, and the BTF id for btf_vmlinux_value_type_id is before map_extra.
 */
static __u32 link_map_id(const struct bpf_link_info *info)
{
	__u32 id;

	memcpy(&id, &info->raw_tracepoint, sizeof(id));
	return id;
}

static __u32 map_kernel_btf_id(const struct bpf_map_info *info)
{
	__u32 id;

	memcpy(&id, (const char *)&info->map_extra - sizeof(id), sizeof(id));
	return id;
}

/* Kept until the program ends. */
static struct btf *vmlinux_btf(void)
{
	static struct btf *btf;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	return btf;
}

const struct btf *attached_btf(__u32 *type)
{
	static struct btf *btf;
	int id = -1;

	if (!btf) {
		btf = btf__load_module_btf("iommufd", vmlinux_btf());
		/* If iommufd is built in, there is no module BTF. */
		if (!btf)
			btf = vmlinux_btf();
	}
	if (btf)
		id = btf__find_by_name_kind(btf, VALUE_TYPE, BTF_KIND_STRUCT);
	if (id < 0) {
		err_say("the iommufd of this kernel does not support policies (no struct iommufd_bpf_ops in its BTF)");
		err_advise("Build it with CONFIG_IOMMUFD_BPF=y.");
		return NULL;
	}
	*type = id;
	return btf;
}

/* Type ids of a module's BTF are not unique among modules: compare the name. */
static bool is_policy(const struct bpf_map_info *info)
{
	static __u32 known_btf, known_type;
	const struct btf_type *type;
	struct btf *btf;
	bool found;

	if (known_type && known_btf == map_kernel_btf_id(info))
		return known_type == info->btf_vmlinux_value_type_id;
	btf = btf__load_from_kernel_by_id_split(map_kernel_btf_id(info),
						vmlinux_btf());
	if (!btf)
		return false;
	type = btf__type_by_id(btf, info->btf_vmlinux_value_type_id);
	found = type &&
		!strcmp(btf__name_by_offset(btf, type->name_off), VALUE_TYPE);
	btf__free(btf);
	if (found) {
		known_btf = map_kernel_btf_id(info);
		known_type = info->btf_vmlinux_value_type_id;
	}
	return found;
}

/* Reads the members of the policy; its functions are ids of programs. */
static void read_members(struct attached *to, const struct btf *btf, __u32 type,
			 const char *data)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	const struct btf_member *m = btf_members(t);

	for (__u16 i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(btf, m->name_off);
		const char *at = data + btf_member_bit_offset(t, i) / 8;
		__u32 prog;

		if (!strcmp(name, "name")) {
			memcpy(to->name, at, sizeof(to->name) - 1);
		} else if (!strcmp(name, "priority")) {
			memcpy(&to->priority, at, sizeof(to->priority));
		} else if (!strcmp(name, "cgroup_id")) {
			memcpy(&to->cgroup_id, at, sizeof(to->cgroup_id));
		} else if (btf_is_ptr(btf__type_by_id(btf,
						      value_type(btf,
								 m->type)))) {
			memcpy(&prog, at, sizeof(prog));
			if (!prog || to->nr_hooks == MAX_HOOKS)
				continue;
			to->hooks[to->nr_hooks] = name;
			to->progs[to->nr_hooks++] = prog;
		}
	}
}

static bool read_map(struct attached *to, __u32 map_id, const struct btf *btf,
		     __u32 type)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info), zero = 0, data, offset;
	int fd = bpf_map_get_fd_by_id(map_id);
	bool found = false;
	char *value;

	if (fd < 0)
		return false;
	if (!bpf_map_get_info_by_fd(fd, &info, &size) && is_policy(&info) &&
	    value_member(btf, type, "data", &data, &offset)) {
		value = tool_memory(calloc(1, info.value_size));
		found = !bpf_map_lookup_elem(fd, &zero, value);
		if (found)
			read_members(to, btf, value_type(btf, data),
				     value + offset);
		free(value);
	}
	close(fd);
	return found;
}

/* Finds the file in our folder that pins the link. */
static void find_pin(struct attached *to)
{
	struct dirent *entry;
	DIR *folder = opendir(PINS);

	while (folder && (entry = readdir(folder))) {
		struct bpf_link_info info = {};
		__u32 size = sizeof(info);
		char path[PATH_MAX];
		int fd;

		if (*entry->d_name == '.')
			continue;
		pin_path(entry->d_name, path, sizeof(path));
		fd = bpf_obj_get(path);
		if (fd < 0)
			continue;
		if (!bpf_link_get_info_by_fd(fd, &info, &size) &&
		    info.id == to->link_id)
			snprintf(to->pin, sizeof(to->pin), "%s", path);
		close(fd);
	}
	if (folder)
		closedir(folder);
}

/* Returns false if the link is not a policy, or is detached. */
static bool read_link(struct attached *to, __u32 id, const struct btf *btf,
		      __u32 type)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	*to = (struct attached){ .link_id = id };
	to->link_fd = bpf_link_get_fd_by_id(id);
	if (to->link_fd < 0)
		return false;
	if (!bpf_link_get_info_by_fd(to->link_fd, &info, &size) &&
	    info.type == BPF_LINK_TYPE_STRUCT_OPS && link_map_id(&info) &&
	    read_map(to, link_map_id(&info), btf, type)) {
		find_pin(to);
		return true;
	}
	close(to->link_fd);
	return false;
}

/* Policies of equal priority are in the order of their attachment. */
static int by_order(const void *a, const void *b)
{
	const struct attached *left = a, *right = b;

	if (left->priority != right->priority)
		return left->priority > right->priority ? -1 : 1;
	return left->link_id < right->link_id ? -1 : 1;
}

struct attached *attached_list(size_t *nr)
{
	struct attached *list = NULL;
	const struct btf *btf;
	__u32 id = 0, type;

	*nr = 0;
	btf = attached_btf(&type);
	if (!btf)
		return NULL;
	while (!bpf_link_get_next_id(id, &id)) {
		list = tool_memory(reallocarray(list, *nr + 1, sizeof(*list)));
		*nr += read_link(&list[*nr], id, btf, type);
	}
	if (errno != ENOENT) {
		err_say("can't list links: %s", strerror(errno));
		attached_free(list, *nr);
		return NULL;
	}
	list = list ?: tool_memory(calloc(1, sizeof(*list)));
	qsort(list, *nr, sizeof(*list), by_order);
	return list;
}

void attached_free(struct attached *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		close(list[i].link_fd);
	free(list);
}

struct attached *attached_find(struct attached *list, size_t nr,
			       const char *name, bool say)
{
	struct attached *found = NULL;
	char id[16];

	for (size_t i = 0; i < nr; i++) {
		if (strcmp(list[i].name, name))
			continue;
		if (found) {
			err_say("several policies are named '%s'", name);
			err_advise("Use the id of the link instead of the name: iommufd-policy list shows the ids.");
			return NULL;
		}
		found = &list[i];
	}
	for (size_t i = 0; !found && i < nr; i++) {
		snprintf(id, sizeof(id), "%u", list[i].link_id);
		if (!strcmp(id, name))
			found = &list[i];
	}
	if (!found && say)
		err_say("no policy '%s' is attached", name);
	return found;
}
