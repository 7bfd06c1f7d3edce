// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/btf.h>
#include <ctype.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "names.h"
#include "tool.h"

#define TYPES 32

static char *reasons[NAMES_REASONS];
static char *types[TYPES];

/* Without the prefix and in lower case, as events print it. */
static char *short_name(const char *name, size_t prefix)
{
	char *copy = tool_memory(strdup(name + prefix));

	for (char *c = copy; *c; c++)
		*c = tolower((unsigned char)*c);
	return copy;
}

static bool load_enum(const struct btf *btf, const char *name,
		      const char *prefix, char **to, size_t size)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);
	const struct btf_enum *value;
	const struct btf_type *type;

	if (id < 0)
		return false;
	type = btf__type_by_id(btf, id);
	value = btf_enum(type);
	for (__u16 i = 0; i < btf_vlen(type); i++, value++) {
		const char *text = btf__name_by_offset(btf, value->name_off);
		size_t number = value->val;

		/* If a number has two names, the first is the real one. */
		if (number < size && !to[number] &&
		    !strncmp(text, prefix, strlen(prefix)))
			to[number] = short_name(text, strlen(prefix));
	}
	return true;
}

bool names_load(void)
{
	struct btf *vmlinux = btf__load_vmlinux_btf(), *module;
	const struct btf *btf;
	bool found;

	module = vmlinux ? btf__load_module_btf("iommufd", vmlinux) : NULL;
	/* If iommufd is built in, there is no module BTF. */
	btf = module ?: vmlinux;
	found = btf &&
		load_enum(btf, "iommufd_reason", "IOMMUFD_REASON_", reasons,
			  NAMES_REASONS) &&
		load_enum(btf, "iommufd_object_type", "IOMMUFD_OBJ_", types,
			  TYPES);
	btf__free(module);
	btf__free(vmlinux);
	if (!found)
		err_say("this kernel does not describe why requests fail (no enum iommufd_reason in its BTF)");
	return found;
}

const char *names_reason(__u32 reason)
{
	return reason < NAMES_REASONS ? reasons[reason] : NULL;
}

const char *names_object_type(__u64 type)
{
	return type < TYPES ? types[type] : NULL;
}

__u32 names_find_reason(const char *name)
{
	__u32 i;

	for (i = 0; i < NAMES_REASONS; i++)
		if (reasons[i] && !strcmp(reasons[i], name))
			break;
	return i;
}

static const struct {
	__u32 command;
	const char *name;
} requests[] = {
	{ 0x1, "read of a fault queue" },
	{ 0x2, "write to a fault queue" },
	{ 0x3, "read of an event queue" },
	{ 0x4, "mmap of /dev/iommu" },
	{ 0x3b64, "VFIO_GET_API_VERSION" },
	{ 0x3b65, "VFIO_CHECK_EXTENSION" },
	{ 0x3b66, "VFIO_SET_IOMMU" },
	{ 0x3b68, "VFIO_GROUP_SET_CONTAINER" },
	{ 0x3b6a, "VFIO_GROUP_GET_DEVICE_FD" },
	{ 0x3b70, "VFIO_IOMMU_GET_INFO" },
	{ 0x3b71, "VFIO_IOMMU_MAP_DMA" },
	{ 0x3b72, "VFIO_IOMMU_UNMAP_DMA" },
	{ 0x3b75, "VFIO_IOMMU_DIRTY_PAGES" },
	{ 0x3b76, "VFIO_DEVICE_BIND_IOMMUFD" },
	{ 0x3b77, "VFIO_DEVICE_ATTACH_IOMMUFD_PT" },
	{ 0x3b78, "VFIO_DEVICE_DETACH_IOMMUFD_PT" },
	{ 0x3b80, "IOMMU_DESTROY" },
	{ 0x3b81, "IOMMU_IOAS_ALLOC" },
	{ 0x3b82, "IOMMU_IOAS_ALLOW_IOVAS" },
	{ 0x3b83, "IOMMU_IOAS_COPY" },
	{ 0x3b84, "IOMMU_IOAS_IOVA_RANGES" },
	{ 0x3b85, "IOMMU_IOAS_MAP" },
	{ 0x3b86, "IOMMU_IOAS_UNMAP" },
	{ 0x3b87, "IOMMU_OPTION" },
	{ 0x3b88, "IOMMU_VFIO_IOAS" },
	{ 0x3b89, "IOMMU_HWPT_ALLOC" },
	{ 0x3b8a, "IOMMU_GET_HW_INFO" },
	{ 0x3b8b, "IOMMU_HWPT_SET_DIRTY_TRACKING" },
	{ 0x3b8c, "IOMMU_HWPT_GET_DIRTY_BITMAP" },
	{ 0x3b8d, "IOMMU_HWPT_INVALIDATE" },
	{ 0x3b8e, "IOMMU_FAULT_QUEUE_ALLOC" },
	{ 0x3b8f, "IOMMU_IOAS_MAP_FILE" },
	{ 0x3b90, "IOMMU_VIOMMU_ALLOC" },
	{ 0x3b91, "IOMMU_VDEVICE_ALLOC" },
	{ 0x3b92, "IOMMU_IOAS_CHANGE_PROCESS" },
	{ 0x3b93, "IOMMU_VEVENTQ_ALLOC" },
	{ 0x3b94, "IOMMU_HW_QUEUE_ALLOC" },
	{ 0x3b95, "IOMMU_IOAS_NOIOMMU_GET_PA" },
};

const char *names_request(__u32 command)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (requests[i].command == command)
			return requests[i].name;
	return NULL;
}

const char *names_errno(int error)
{
	/*
	 * Internal to the kernel: user space gets EINTR, or the call restarts.
	 */
	if (error == 512)
		return "ERESTARTSYS";
	return strerrorname_np(error) ?: "?";
}

const char *names_capability(__u64 capability)
{
	switch (capability) {
	case CAP_SYS_RAWIO:
		return "CAP_SYS_RAWIO";
	case CAP_SYS_ADMIN:
		return "CAP_SYS_ADMIN";
	case CAP_SYS_RESOURCE:
		return "CAP_SYS_RESOURCE";
	default:
		return NULL;
	}
}
