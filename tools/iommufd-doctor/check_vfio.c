// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include "checks.h"

/* Whether a driver has character devices of this name. */
static bool has_chrdev(const struct host *host, const char *name)
{
	FILE *file = host_open(host, "/proc/devices");
	char line[TEXT_SIZE], found[64];
	bool has = false;

	if (!file)
		return false;
	while (!has && fgets(line, sizeof(line), file))
		has = sscanf(line, "%*u %63s", found) == 1 &&
		      !strcmp(found, name);
	fclose(file);
	return has;
}

/* Returns whether iommufd is the container. */
static bool check_container(const struct host *host,
			    const struct symbols *symbols, struct report *out)
{
	bool type1 = symbols->container ||
		     host_has(host, "/sys/module/vfio_iommu_type1");
	bool here = host_has(host, "/sys/class/misc/vfio");

	if (!here)
		report(out, "container", NULL, STATE_NONE, NULL,
		       "there is no /dev/vfio/vfio; programs need /dev/iommu");
	else if (!host_has(host, "/dev/vfio/vfio"))
		report(out, "container", NULL, STATE_WARNING,
		       "Let udev create it: udevadm trigger /sys/class/misc/vfio",
		       "VFIO has containers, but there is no /dev/vfio/vfio here");
	else if (type1)
		report(out, "container", NULL, STATE_OK, NULL,
		       "/dev/vfio/vfio is VFIO's own (type1), for programs that do not use iommufd");
	else
		report(out, "container", NULL, STATE_OK, NULL,
		       "/dev/vfio/vfio is iommufd, for programs that do not use /dev/iommu");
	return here && !type1;
}

static void check_noiommu(const struct host *host, struct report *out)
{
	static const char path[] =
		"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
	char value[TEXT_SIZE];

	host_read(host, value, path);
	if (*value == 'Y' || *value == '1')
		report(out, "noiommu", NULL, STATE_WARNING,
		       "Switch it off: echo 0 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
		       "devices can be used without an IOMMU, and then write to all memory");
}

void check_vfio(const struct host *host, const struct symbols *symbols,
		struct report *out)
{
	bool compatible;

	if (!host_has(host, "/sys/class/vfio-dev") &&
	    !host_has(host, "/sys/module/vfio")) {
		report(out, "vfio", NULL, STATE_WARNING,
		       "Load it: modprobe vfio-pci", "VFIO is not loaded");
		return;
	}
	compatible = check_container(host, symbols, out);
	if (has_chrdev(host, "vfio-dev"))
		report(out, "vfio", NULL, STATE_OK, NULL,
		       "each device has a file in /dev/vfio/devices, for use with iommufd");
	else
		report(out, "vfio", NULL,
		       compatible ? STATE_WARNING : STATE_PROBLEM,
		       "Install VFIO with CONFIG_VFIO_DEVICE_CDEV: the package iommufd-bpf-dkms, or make dkms.",
		       "VFIO has no device files (/dev/vfio/devices), so iommufd gets no devices%s",
		       compatible ? " except through /dev/vfio/vfio" : "");
	check_noiommu(host, out);
}
