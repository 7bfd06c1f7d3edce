// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The devices that are bound to vfio-pci. */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void device_fill(struct device *device, char *path)
{
	char link[PATH_MAX], group[PATH_MAX];

	snprintf(device->cdev, sizeof(device->cdev), "/dev/vfio/devices/%s",
		 base_name(path));
	/* Without /vfio-dev/vfioN */
	*strrchr(path, '/') = '\0';
	*strrchr(path, '/') = '\0';
	snprintf(device->address, sizeof(device->address), "%s",
		 base_name(path));
	snprintf(link, sizeof(link), "%s/iommu_group", path);
	if (!realpath(link, group))
		fail("%s: %m", link);
	snprintf(device->group, sizeof(device->group), "/dev/vfio/%s",
		 base_name(group));
}

void device_get(unsigned int index, struct device *device)
{
	glob_t found;

	if (glob("/sys/bus/pci/devices/*/vfio-dev/vfio*", 0, NULL, &found) ||
	    found.gl_pathc <= index)
		fail("device %u is missing: too few are bound to vfio-pci",
		     index);
	device_fill(device, found.gl_pathv[index]);
	globfree(&found);
}
