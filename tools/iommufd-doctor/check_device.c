// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include "../lib/env.h"
#include "checks.h"
#include "pci.h"

/* Advice that gives a device to vfio-pci. */
static void advise_bind(char advice[ADVICE_SIZE], const char *address,
			const char *driver)
{
	char unbind[128] = "";

	if (*driver)
		snprintf(unbind, sizeof(unbind),
			 "echo %s >" PCI_DEVICES "/%s/driver/unbind; ", address,
			 address);
	snprintf(advice, ADVICE_SIZE,
		 "Give it to VFIO%s: modprobe vfio-pci; "
		 "echo vfio-pci >" PCI_DEVICES "/%s/driver_override; "
		 "%secho %s >/sys/bus/pci/drivers_probe",
		 *driver ? " (its users lose it)" : "", address, unbind,
		 address);
}

/* Returns whether VFIO has it. */
static bool check_driver(const struct host *host, const char *address,
			 struct report *out)
{
	char driver[TEXT_SIZE], advice[ADVICE_SIZE];

	pci_driver(host, address, driver);
	if (pci_is_vfio(driver)) {
		report(out, "driver", address, STATE_OK, NULL, "is bound to %s",
		       driver);
		return true;
	}
	advise_bind(advice, address, driver);
	if (*driver)
		report(out, "driver", address, STATE_PROBLEM, advice,
		       "is bound to %s, not to a driver of VFIO", driver);
	else
		report(out, "driver", address, STATE_PROBLEM, advice,
		       "has no driver");
	return false;
}

/* The file of the device in /dev/vfio/devices; "" if it has none. */
static void find_file(const struct host *host, const char *address,
		      char name[TEXT_SIZE])
{
	struct dirent **entries;
	int nr = host_list(host, &entries, PCI_DEVICES "/%s/vfio-dev", address);

	*name = '\0';
	if (nr > 0 && host_has(host, PCI_DEVICES "/%s/vfio-dev/%s/dev", address,
			       entries[0]->d_name))
		snprintf(name, TEXT_SIZE, "%s", entries[0]->d_name);
	host_free(entries, nr);
}

/* VFIO without files for devices offers those of groups. */
static void check_group_file(const struct host *host, const char *address,
			     const char *group, struct report *out)
{
	char advice[ADVICE_SIZE];

	snprintf(advice, sizeof(advice),
		 "As root, until the next boot: setfacl -m u:%u:rw /dev/vfio/%s",
		 host->uid, group);
	if (!*group || !host_has(host, "/dev/vfio/%s", group))
		report(out, "file", address, STATE_PROBLEM, NULL,
		       "has no file in /dev/vfio/devices, and none for its group");
	else if (!host_may_use(host, "/dev/vfio/%s", group))
		report(out, "file", address, STATE_PROBLEM, advice,
		       "has the file /dev/vfio/%s of its group, which this user may not open",
		       group);
	else
		report(out, "file", address, STATE_OK, NULL,
		       "has the file /dev/vfio/%s of its group, which this user may open",
		       group);
}

static void check_file(const struct host *host, const char *address,
		       const char *name, const char *group, struct report *out)
{
	char advice[ADVICE_SIZE];

	if (!*name) {
		check_group_file(host, address, group, out);
	} else if (!host_has(host, "/dev/vfio/devices/%s", name)) {
		snprintf(advice, sizeof(advice),
			 "Let udev create it: udevadm trigger /sys/class/vfio-dev/%s (outside of containers)",
			 name);
		report(out, "file", address, STATE_PROBLEM, advice,
		       "should have the file /dev/vfio/devices/%s, which is not here",
		       name);
	} else if (!host_may_use(host, "/dev/vfio/devices/%s", name)) {
		snprintf(advice, sizeof(advice),
			 "As root, until the next boot: setfacl -m u:%u:rw /dev/vfio/devices/%s",
			 host->uid, name);
		report(out, "file", address, STATE_PROBLEM, advice,
		       "has the file /dev/vfio/devices/%s, which this user may not open",
		       name);
	} else {
		report(out, "file", address, STATE_OK, NULL,
		       "has the file /dev/vfio/devices/%s, which this user may open",
		       name);
	}
}

/* Why the device shares its group with another one. */
static void explain(const struct host *host, const char *address,
		    const char *other, char text[TEXT_SIZE])
{
	static const char *const because[] = {
		[ACS_UNKNOWN] = "whose ACS only root can read",
		[ACS_NONE] = "which has no ACS",
		[ACS_OFF] = "whose ACS is off in part",
		[ACS_ON] = "which has ACS, so that a bridge above it lacks it",
	};
	char parent[TEXT_SIZE];

	*text = '\0';
	if (pci_same_slot(address, other))
		snprintf(text, TEXT_SIZE,
			 "; they are functions of one device without ACS");
	else if (pci_parent(host, address, parent))
		snprintf(text, TEXT_SIZE, "; they are below bridge %.16s, %s",
			 parent, because[pci_acs(host, parent)]);
}

/**
 * struct members - the other devices of a group
 * @nr: number of them, without bridges
 * @text: their addresses and drivers
 * @first: one of them
 * @blocking: one with a driver that keeps the group from VFIO, or ""
 * @driver: the driver of @blocking
 */
struct members {
	int nr;
	char text[TEXT_SIZE];
	char first[TEXT_SIZE];
	char blocking[TEXT_SIZE];
	char driver[TEXT_SIZE];
};

static void find_members(const struct host *host, const char *group,
			 const char *address, struct members *members)
{
	char driver[TEXT_SIZE];
	struct dirent **entries;
	size_t used = 0;
	int nr;

	memset(members, 0, sizeof(*members));
	nr = host_list(host, &entries, "/sys/kernel/iommu_groups/%s/devices",
		       group);
	for (int i = 0; i < nr; i++) {
		const char *name = entries[i]->d_name;

		pci_driver(host, name, driver);
		if (!strcmp(name, address) || pci_is_bridge(host, name))
			continue;
		if (!members->nr++)
			snprintf(members->first, TEXT_SIZE, "%s", name);
		if (used < TEXT_SIZE)
			used += snprintf(members->text + used, TEXT_SIZE - used,
					 "%s%s (%s)",
					 members->nr > 1 ? ", " : "", name,
					 *driver ? driver : "no driver");
		if (*members->blocking || !pci_blocks_group(driver))
			continue;
		snprintf(members->blocking, TEXT_SIZE, "%s", name);
		snprintf(members->driver, TEXT_SIZE, "%s", driver);
	}
	host_free(entries, nr);
}

static void check_group(const struct host *host, const char *address,
			const char *group, struct report *out)
{
	char why[TEXT_SIZE], advice[ADVICE_SIZE];
	struct members members;

	if (!*group) {
		report(out, "group", address, STATE_PROBLEM,
		       env_problem_advice(env_check_iommu(host->root)),
		       "is in no IOMMU group: no IOMMU translates its DMA");
		return;
	}
	find_members(host, group, address, &members);
	if (!members.nr) {
		report(out, "group", address, STATE_OK, NULL,
		       "is alone in IOMMU group %s", group);
		return;
	}
	explain(host, address, members.first, why);
	if (*members.blocking) {
		advise_bind(advice, members.blocking, members.driver);
		report(out, "group", address, STATE_PROBLEM, advice,
		       "shares IOMMU group %s with %s: the driver %s of %s is in the way%s",
		       group, members.text, members.driver, members.blocking,
		       why);
		return;
	}
	report(out, "group", address, STATE_WARNING,
	       "Give them all to the same VM, or move one to another slot.",
	       "shares IOMMU group %s with %s: they can only be used together%s",
	       group, members.text, why);
}

static void check_reset(const struct host *host, const char *address,
			struct report *out)
{
	char methods[TEXT_SIZE];

	if (host_read(host, methods, PCI_DEVICES "/%s/reset_method", address) &&
	    *methods)
		report(out, "reset", address, STATE_OK, NULL,
		       "can be reset: %s", methods);
	else
		report(out, "reset", address, STATE_WARNING, NULL,
		       "can't be reset, so its next user finds what the last one left in it");
}

static void check_node(const struct host *host, const char *address,
		       struct report *out)
{
	long long node =
		host_number(host, -1, PCI_DEVICES "/%s/numa_node", address);

	if (node < 0)
		report(out, "numa", address, STATE_NONE, NULL,
		       "is on no NUMA node in particular");
	else
		report(out, "numa", address, STATE_OK, NULL,
		       "is on NUMA node %lld: memory and CPUs there are nearest",
		       node);
}

static void check_users(const struct processes *processes, const char *address,
			const char *name, const char *group, struct report *out)
{
	char file[TEXT_SIZE + 32], users[TEXT_SIZE];
	size_t nr = 0;

	snprintf(file, sizeof(file), "/dev/vfio/devices/%s", name);
	if (*name)
		nr = processes_with(processes, file, users);
	if (!nr && *group) {
		snprintf(file, sizeof(file), "/dev/vfio/%s", group);
		nr = processes_with(processes, file, users);
	}
	if (nr)
		report(out, "users", address, STATE_WARNING, NULL,
		       "is in use: %s has %s open; another user is refused",
		       users, file);
	else if (processes->hidden)
		report(out, "users", address, STATE_NONE, NULL,
		       "may be in use: the files of %zu processes are only visible to root",
		       processes->hidden);
	else
		report(out, "users", address, STATE_OK, NULL, "is not in use");
}

void check_device(const struct host *host, const struct processes *processes,
		  const char *address, struct report *out)
{
	char group[TEXT_SIZE], name[TEXT_SIZE];

	if (!host_has(host, PCI_DEVICES "/%s", address)) {
		report(out, "driver", address, STATE_PROBLEM,
		       "List the devices: lspci -D", "does not exist");
		return;
	}
	if (pci_is_bridge(host, address)) {
		report(out, "driver", address, STATE_PROBLEM, NULL,
		       "is a bridge, which VFIO does not hand out");
		return;
	}
	host_link_name(host, group, PCI_DEVICES "/%s/iommu_group", address);
	find_file(host, address, name);
	if (check_driver(host, address, out))
		check_file(host, address, name, group, out);
	check_group(host, address, group, out);
	check_reset(host, address, out);
	check_node(host, address, out);
	check_users(processes, address, name, group, out);
}
