// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include "../lib/env.h"
#include "checks.h"

#define MOCK "iommufd_"

/* Names in /sys/class/iommu, without numbers. */
static const struct {
	const char *begin;
	const char *kind;
} kinds[] = {
	{ "dmar", "Intel VT-d" },
	{ "ivhd", "AMD-Vi" },
	{ "smmu3", "Arm SMMUv3" },
	{ "virtio", "virtio-iommu" },
	{ MOCK, "the mock of iommufd's tests" },
};

static const char *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strncmp(name, kinds[i].begin, strlen(kinds[i].begin)))
			return kinds[i].kind;
	return "IOMMU";
}

/* The one to name; the mock of tests only if there is no other. */
static const char *first_of(struct dirent **iommus, int nr)
{
	for (int i = 0; i < nr; i++)
		if (strncmp(iommus[i]->d_name, MOCK, strlen(MOCK)))
			return iommus[i]->d_name;
	return nr > 0 ? iommus[0]->d_name : "";
}

static bool is_on(const struct host *host, const char *word)
{
	return host_contains(host, word, "/proc/cmdline");
}

/* Returns whether there is an IOMMU. */
static bool check_hardware(const struct host *host, struct report *out)
{
	struct dirent **iommus, **groups;
	int nr_iommus = host_list(host, &iommus, "/sys/class/iommu");
	int nr_groups = host_list(host, &groups, "/sys/kernel/iommu_groups");
	bool passes = is_on(host, "iommu=pt") ||
		      is_on(host, "iommu.passthrough=1");
	enum env_problem problem = env_check_iommu(host->root);
	const char *name = first_of(iommus, nr_iommus);

	if (problem)
		report(out, "iommu", NULL, STATE_PROBLEM,
		       env_problem_advice(problem), "%s",
		       env_problem_text(problem));
	else if (nr_iommus <= 0)
		report(out, "iommu", NULL, STATE_WARNING,
		       env_problem_advice(ENV_NO_IOMMU),
		       "no IOMMU is on; devices without one are in %d groups",
		       nr_groups);
	else if (nr_groups <= 0)
		report(out, "iommu", NULL, STATE_PROBLEM, NULL,
		       "%s is on (%s), but no device is behind it",
		       kind_of(name), name);
	else
		report(out, "iommu", NULL, STATE_OK, NULL,
		       "%s is on (%s%s), %d groups of devices%s", kind_of(name),
		       name, nr_iommus > 1 ? " and others" : "", nr_groups,
		       passes ?
			       "; drivers bypass it (passthrough), which is fine" :
			       "");
	host_free(iommus, nr_iommus);
	host_free(groups, nr_groups);
	return nr_iommus > 0;
}

static bool is_set(const struct host *host, const char *module)
{
	char value[TEXT_SIZE];

	host_read(host, value,
		  "/sys/module/%s/parameters/allow_unsafe_interrupts", module);
	return *value == 'Y' || *value == '1';
}

/* Without remapping, a device can trigger any interrupt by a write. */
static void check_interrupts(const struct host *host, struct report *out)
{
	bool remapped = host_contains(host, "IR-", "/proc/interrupts");
	bool x86 = host_contains(host, "APIC", "/proc/interrupts");

	if (remapped)
		report(out, "interrupts", NULL, STATE_OK, NULL,
		       "the IOMMU remaps interrupts");
	else if (!x86)
		report(out, "interrupts", NULL, STATE_NONE, NULL,
		       "only x86 remaps interrupts in the IOMMU");
	else if (is_set(host, "iommufd") || is_set(host, "vfio_iommu_type1"))
		report(out, "interrupts", NULL, STATE_WARNING, NULL,
		       "not remapped, and allow_unsafe_interrupts is set: a device can trigger any interrupt");
	else
		report(out, "interrupts", NULL, STATE_PROBLEM,
		       "Boot without intremap=off, or trust all VMs and devices: "
		       "echo 1 >/sys/module/iommufd/parameters/allow_unsafe_interrupts",
		       "the IOMMU does not remap interrupts, so VFIO refuses devices");
}

void check_iommu(const struct host *host, struct report *out)
{
	if (check_hardware(host, out))
		check_interrupts(host, out);
	else
		report(out, "interrupts", NULL, STATE_NONE, NULL,
		       "no IOMMU remaps interrupts");
}
