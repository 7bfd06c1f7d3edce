// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include "../lib/env.h"
#include "checks.h"

static bool is_ours(const struct host *host, const struct symbols *symbols,
		    bool module)
{
	static const char event[] = "trace_event_raw_iommufd_fail";

	if (symbols->known)
		return symbols->events;
	return host_contains(host, event, "/sys/kernel/btf/%s",
			     module ? "iommufd" : "vmlinux");
}

/* Whether a file of the kernel's modules was added to the kernel's own. */
static bool is_added(const char *path)
{
	static const char *const folders[] = { "updates/", "extra/" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (!strncmp(path, folders[i], strlen(folders[i])))
			return true;
	return false;
}

static void check_owner(const struct host *host, bool ours, bool module,
			struct report *out)
{
	char version[TEXT_SIZE], path[TEXT_SIZE] = "", where[TEXT_SIZE + 16];

	host_read(host, version, "/sys/module/iommufd/version");
	if (module)
		env_find_module(host->root, path, sizeof(path));
	snprintf(where, sizeof(where), "%s%s%s%s",
		 module ? "a module" : "built in", *path ? " (" : "", path,
		 *path ? ")" : "");
	if (ours)
		report(out, "iommufd", NULL, STATE_OK, NULL,
		       "iommufd-bpf%s%s, %s", *version ? " " : "", version,
		       where);
	else if (is_added(path))
		report(out, "iommufd", NULL, STATE_WARNING,
		       "Reboot, or end its users and load the other one: "
		       "modprobe -r vfio_pci vfio_iommu_type1 vfio_pci_core vfio iommufd; "
		       "modprobe -a iommufd vfio-pci",
		       "the stock one%s%s is loaded, although %s is installed",
		       *version ? " " : "", version, path);
	else
		report(out, "iommufd", NULL, STATE_WARNING,
		       env_problem_advice(ENV_NO_EVENTS),
		       "the stock one%s%s, %s", *version ? " " : "", version,
		       where);
}

/* Which half is whose: IOMMU drivers call one of them. */
static void check_driver_half(const struct symbols *symbols, bool ours,
			      struct report *out)
{
	if (!symbols->known || !symbols->driver)
		report(out, "driver-half", NULL, STATE_NONE, NULL,
		       "no symbol of the part that IOMMU drivers call is found");
	else if (symbols->driver == PLACE_MODULE)
		report(out, "driver-half", NULL, STATE_OK, NULL,
		       "the part that IOMMU drivers call is in the module, which drivers in the kernel image do not call");
	else if (ours && symbols->driver_events)
		report(out, "driver-half", NULL, STATE_OK, NULL,
		       "the part that IOMMU drivers call is built in, and from iommufd-bpf too");
	else if (ours)
		report(out, "driver-half", NULL, STATE_OK, NULL,
		       "the part that IOMMU drivers call is the kernel's own: what needs both halves is refused (EOPNOTSUPP)");
	else if (symbols->driver_events)
		report(out, "driver-half", NULL, STATE_WARNING,
		       "Install the iommufd that belongs to this kernel: "
		       "make modules_install in its tree",
		       "the part that IOMMU drivers call is from iommufd-bpf, but the module is not");
	else
		report(out, "driver-half", NULL, STATE_OK, NULL,
		       "the part that IOMMU drivers call is built in, and the kernel's own");
}

static void check_file(const struct host *host, struct report *out)
{
	char advice[ADVICE_SIZE];

	if (env_check_device_file(host->root)) {
		report(out, "file", NULL, STATE_PROBLEM,
		       env_problem_advice(ENV_NO_DEVICE_FILE), "%s",
		       env_problem_text(ENV_NO_DEVICE_FILE));
		return;
	}
	if (host_may_use(host, "/dev/iommu")) {
		report(out, "file", NULL, STATE_OK, NULL,
		       "this user may open /dev/iommu");
		return;
	}
	snprintf(advice, sizeof(advice),
		 "As root, until the next boot: setfacl -m u:%u:rw /dev/iommu",
		 host->uid);
	report(out, "file", NULL, STATE_PROBLEM, advice,
	       "this user may not open /dev/iommu");
}

static void check_users(const struct processes *processes, struct report *out)
{
	char users[TEXT_SIZE];
	size_t nr = processes_with(processes, "/dev/iommu", users);

	if (nr)
		report(out, "users", NULL, STATE_OK, NULL,
		       "/dev/iommu is open in %s", users);
	else if (processes->hidden)
		report(out, "users", NULL, STATE_NONE, NULL,
		       "the files of %zu processes are only visible to root",
		       processes->hidden);
	else
		report(out, "users", NULL, STATE_NONE, NULL,
		       "no process has /dev/iommu open");
}

void check_iommufd(const struct host *host, const struct symbols *symbols,
		   const struct processes *processes, struct report *out)
{
	/* This file exists only for modules. */
	bool module = host_has(host, "/sys/module/iommufd/initstate");
	enum env_problem problem;
	bool ours;

	if (!host_has(host, "/sys/class/misc/iommu")) {
		problem = env_find_module(host->root, NULL, 0) ?
				  ENV_NO_IOMMUFD :
				  ENV_NOT_INSTALLED;
		report(out, "iommufd", NULL, STATE_PROBLEM,
		       env_problem_advice(problem), "%s",
		       env_problem_text(problem));
		return;
	}
	ours = is_ours(host, symbols, module);
	check_owner(host, ours, module, out);
	check_driver_half(symbols, ours, out);
	check_file(host, out);
	check_users(processes, out);
}
