// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/capability.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "env.h"

/* The first line of advice is enough; it may end with a command to copy. */
static const struct {
	const char *text;
	const char *advice;
} problems[] = {
	[ENV_OK] = { "nothing is missing", "" },
	[ENV_NO_PRIVILEGE] = {
		"this needs root, or the capabilities CAP_BPF and CAP_PERFMON",
		"Run it with sudo. PRIVILEGES in its manual page says how to run it without.",
	},
	[ENV_NO_BTF] = {
		"this kernel does not describe its types (no /sys/kernel/btf/vmlinux)",
		"Boot a kernel built with CONFIG_DEBUG_INFO_BTF=y.",
	},
	[ENV_NO_ACCESS] = {
		"this user may not access the kernel's trace events (/sys/kernel/tracing)",
		"Run it with sudo, or open them to a group of the user: "
		"mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing",
	},
	[ENV_NO_TRACEFS] = {
		"the kernel's trace events can't be found (no /sys/kernel/tracing/events)",
		"Mount them: mount -t tracefs tracefs /sys/kernel/tracing\n"
		"If that fails, the kernel was built without CONFIG_FTRACE and CONFIG_BPF_EVENTS.",
	},
	[ENV_NOT_INSTALLED] = {
		"this kernel has no iommufd",
		"Install it: the package iommufd-bpf-dkms, or make dkms.",
	},
	[ENV_NO_IOMMUFD] = {
		"iommufd is not loaded",
		"Load it: modprobe iommufd",
	},
	[ENV_NO_EVENTS] = {
		"the iommufd of this kernel has no trace events: it is the stock one",
		"Install iommufd-bpf in its place: the package iommufd-bpf-dkms, or make dkms.\n"
		"Without it, iommufd-top, iommufd-pins, iommufd-maplat and iommufd-why show a part.",
	},
	[ENV_NO_IOCTL_EVENTS] = {
		"this kernel has no trace events, neither of iommufd nor of system calls",
		"Install iommufd-bpf: the package iommufd-bpf-dkms, or make dkms.\n"
		"On a kernel built with CONFIG_FTRACE_SYSCALLS=y some tools work in part.",
	},
	[ENV_NO_MODULE_BTF] = {
		"the iommufd module does not describe its types (no /sys/kernel/btf/iommufd)",
		"Build it with CONFIG_DEBUG_INFO_BTF_MODULES=y, against the running vmlinux.\n"
		"If the kernel log has \"failed to validate module [iommufd] BTF\", they don't match.",
	},
	[ENV_NO_MODULE_PRIVILEGE] = {
		"iommufd is a module here, and reading its types needs CAP_SYS_ADMIN",
		"Run it with sudo. Where iommufd is built in, CAP_BPF and CAP_PERFMON are enough.",
	},
	[ENV_NO_TYPE1_BTF] = {
		"the modules of VFIO do not describe their types (no /sys/kernel/btf/vfio*)",
		"Build them with CONFIG_DEBUG_INFO_BTF_MODULES=y, against the running vmlinux.",
	},
	[ENV_NO_TYPE1_PRIVILEGE] = {
		"VFIO is a module here, and reading its types needs CAP_SYS_ADMIN",
		"Run it with sudo. Where VFIO is built in, CAP_BPF and CAP_PERFMON are enough.",
	},
	[ENV_NO_DEVICE_FILE] = {
		"iommufd is loaded, but there is no /dev/iommu here",
		"Let udev create it: udevadm trigger /sys/class/misc/iommu (outside of containers)",
	},
	[ENV_INTEL_OFF] = {
		"the IOMMU is off: the kernel does not use the firmware's VT-d",
		"Boot with intel_iommu=on. With GRUB: sed -i "
		"'s/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /' /etc/default/grub && update-grub",
	},
	[ENV_AMD_OFF] = {
		"the IOMMU is off: the kernel does not use the firmware's AMD-Vi",
		"Boot without amd_iommu=off and iommu=off. With GRUB: sed -ri "
		"'s/\\<(amd_)?iommu=off\\>//g' /etc/default/grub && update-grub",
	},
	[ENV_NO_IOMMU] = {
		"there is no IOMMU, or the firmware hides it",
		"Enable VT-d or AMD-Vi in the firmware's setup (of a VM: in its configuration), "
		"then boot with intel_iommu=on (Intel).",
	},
};

const char *env_problem_text(enum env_problem problem)
{
	return problems[problem].text;
}

const char *env_problem_advice(enum env_problem problem)
{
	return problems[problem].advice;
}

unsigned long long env_capabilities(void)
{
	unsigned long long caps = 0;
	char line[256];
	FILE *status;

	status = fopen("/proc/self/status", "re");
	if (!status)
		return geteuid() ? 0 : ~0ULL;
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(status);
	return caps;
}

static bool has(const char *root, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	/* Check as the effective user: access() ignores its capabilities. */
	return !faccessat(AT_FDCWD, full, F_OK, AT_EACCESS);
}

static bool can(unsigned long long caps, int cap)
{
	return caps >> cap & 1;
}

/*
 * Older systems have tracefs only below debugfs, which users can't access
 * either way. Sets *@denied if tracefs is in its usual place, but this user may
 * not access it.
 */
static bool has_event(const char *root, const char *event, bool *denied)
{
	static const char *const places[] = {
		"/sys/kernel/tracing/events",
		"/sys/kernel/debug/tracing/events",
	};
	char path[128];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s%s", places[i], event);
		if (has(root, path))
			return true;
		*denied |= !i && errno == EACCES;
	}
	return false;
}

/* Opens the list of modules of the running kernel. */
static FILE *open_modules(const char *root)
{
	char path[PATH_MAX], release[128];
	FILE *file;
	int found;

	snprintf(path, sizeof(path), "%s/proc/sys/kernel/osrelease", root);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	found = fscanf(file, "%127s", release);
	fclose(file);
	if (found != 1)
		return NULL;
	snprintf(path, sizeof(path), "%s/lib/modules/%s/modules.dep", root,
		 release);
	return fopen(path, "re");
}

bool env_find_module(const char *root, char *path, size_t size)
{
	FILE *modules = open_modules(root);
	bool found = false;
	size_t room = 0;
	char *line = NULL;

	if (path)
		snprintf(path, size, "%s", "");
	if (!modules)
		return true;
	while (!found && getline(&line, &room, modules) >= 0) {
		char *end = strchr(line, ':');
		char *name;

		if (!end)
			continue;
		*end = '\0';
		name = strrchr(line, '/');
		name = name ? name + 1 : line;
		found = !strncmp(name, "iommufd.ko", strlen("iommufd.ko"));
		if (found && path)
			snprintf(path, size, "%s", line);
	}
	free(line);
	fclose(modules);
	return found;
}

enum env_problem env_check(const char *root, unsigned long long caps)
{
	bool admin = can(caps, CAP_SYS_ADMIN), denied = false;

	if (!admin && !(can(caps, CAP_BPF) && can(caps, CAP_PERFMON)))
		return ENV_NO_PRIVILEGE;
	if (!has(root, "/sys/kernel/btf/vmlinux"))
		return ENV_NO_BTF;
	if (!has_event(root, "", &denied))
		return denied ? ENV_NO_ACCESS : ENV_NO_TRACEFS;
	/*
	 * The device exists whether iommufd is built in or a module. Some of
	 * the events also exist while the module is not loaded.
	 */
	if (!has(root, "/sys/class/misc/iommu"))
		return env_find_module(root, NULL, 0) ? ENV_NO_IOMMUFD :
							ENV_NOT_INSTALLED;
	if (!has_event(root, "/iommufd", &denied))
		return ENV_NO_EVENTS;
	return env_check_lists(root, caps);
}

/* Whether the types of a module can be read; those of built-in code always can. */
static enum env_problem check_module(const char *root, unsigned long long caps,
				     const char *name)
{
	char path[64];

	/* This file exists only for modules. */
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	if (!has(root, path))
		return ENV_OK;
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", name);
	if (!has(root, path))
		return ENV_NO_MODULE_BTF;
	return can(caps, CAP_SYS_ADMIN) ? ENV_OK : ENV_NO_MODULE_PRIVILEGE;
}

enum env_problem env_check_lists(const char *root, unsigned long long caps)
{
	return check_module(root, caps, "iommufd");
}

enum env_problem env_check_type1(const char *root, unsigned long long caps)
{
	static const char *const modules[] = { "vfio", "vfio_iommu_type1" };

	for (size_t i = 0; i < 2; i++) {
		switch (check_module(root, caps, modules[i])) {
		case ENV_OK:
			continue;
		case ENV_NO_MODULE_BTF:
			return ENV_NO_TYPE1_BTF;
		default:
			return ENV_NO_TYPE1_PRIVILEGE;
		}
	}
	return ENV_OK;
}

enum env_problem env_check_stock(const char *root)
{
	bool denied = false;

	return has_event(root, "/syscalls/sys_exit_ioctl", &denied) ?
		       ENV_OK :
		       ENV_NO_IOCTL_EVENTS;
}

/* Whether the folder has an entry. */
static bool has_entries(const char *root, const char *path)
{
	char full[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(full, sizeof(full), "%s%s", root, path);
	dir = opendir(full);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = *entry->d_name != '.';
	closedir(dir);
	return found;
}

enum env_problem env_check_iommu(const char *root)
{
	/* Devices without an IOMMU can have groups, too. */
	if (has_entries(root, "/sys/class/iommu") ||
	    has_entries(root, "/sys/kernel/iommu_groups"))
		return ENV_OK;
	if (has(root, "/sys/firmware/acpi/tables/DMAR"))
		return ENV_INTEL_OFF;
	if (has(root, "/sys/firmware/acpi/tables/IVRS"))
		return ENV_AMD_OFF;
	return ENV_NO_IOMMU;
}

enum env_problem env_check_device_file(const char *root)
{
	return has(root, "/sys/class/misc/iommu") && !has(root, "/dev/iommu") ?
		       ENV_NO_DEVICE_FILE :
		       ENV_OK;
}
