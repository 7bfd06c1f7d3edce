// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <limits.h>
#include <stdio.h>
#include <unistd.h>
#include "source.h"

static const char *const names[] = {
	[SOURCE_OURS] = "ours",
	[SOURCE_UPSTREAM] = "upstream",
	[SOURCE_TYPE1] = "type1",
};

const char *source_name(enum source_kind kind)
{
	return names[kind];
}

__u32 source_device(const char *name)
{
	unsigned int major, minor;
	char path[64];
	FILE *file;
	int found;

	snprintf(path, sizeof(path), "/sys/class/misc/%s/dev", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	found = fscanf(file, "%u:%u", &major, &minor);
	fclose(file);
	/* MKDEV() of include/linux/kdev_t.h */
	return found == 2 ? major << 20 | minor : 0;
}

enum source_kind source_stock(void)
{
	return source_device("iommu") ? SOURCE_UPSTREAM : SOURCE_TYPE1;
}

static bool has(const char *root, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return !access(full, F_OK);
}

bool source_has_type1(const char *root)
{
	/* The second one exists for modules and for built-in code. */
	return has(root, "/sys/class/misc/vfio/dev") &&
	       has(root, "/sys/module/vfio_iommu_type1");
}
