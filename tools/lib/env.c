// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/capability.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include "env.h"

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
		"Run it with sudo, or open them to a group of the user:\n"
		"mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing",
	},
	[ENV_NO_TRACEFS] = {
		"the kernel's trace events can't be found (no /sys/kernel/tracing/events)",
		"Mount them: mount -t tracefs tracefs /sys/kernel/tracing\n"
		"If that fails, the kernel was built without CONFIG_FTRACE and CONFIG_BPF_EVENTS.",
	},
	[ENV_NO_IOMMUFD] = {
		"iommufd is not loaded",
		"Load it: modprobe iommufd\n"
		"If there is no such module, the kernel was built without CONFIG_IOMMUFD.",
	},
	[ENV_NO_EVENTS] = {
		"the iommufd of this kernel has no trace events: it is the stock one",
		"Boot a kernel with iommufd-bpf: scripts/graft adds it to a Linux 7.3 tree.\n"
		"Without it, iommufd-top, iommufd-maplat and iommufd-why show system calls only.",
	},
	[ENV_NO_IOCTL_EVENTS] = {
		"this kernel has no trace events, neither of iommufd nor of system calls",
		"Boot a kernel with iommufd-bpf: scripts/graft adds it to a Linux 7.3 tree.\n"
		"On a kernel built with CONFIG_FTRACE_SYSCALLS=y some tools work in part.",
	},
	[ENV_NO_MODULE_BTF] = {
		"the iommufd module does not describe its types (no /sys/kernel/btf/iommufd)",
		"Build it with CONFIG_DEBUG_INFO_BTF_MODULES=y, against the running vmlinux. If the\n"
		"kernel log has \"failed to validate module [iommufd] BTF\", they don't match.",
	},
	[ENV_NO_MODULE_PRIVILEGE] = {
		"iommufd is a module here, and reading its types needs CAP_SYS_ADMIN",
		"Run it with sudo. Where iommufd is built in, CAP_BPF and CAP_PERFMON are enough.",
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

enum env_problem env_check(const char *root, unsigned long long caps)
{
	bool admin = can(caps, CAP_SYS_ADMIN), denied = false;

	if (!admin && !(can(caps, CAP_BPF) && can(caps, CAP_PERFMON)))
		return ENV_NO_PRIVILEGE;
	if (!has(root, "/sys/kernel/btf/vmlinux"))
		return ENV_NO_BTF;
	if (!has_event(root, "", &denied))
		return denied ? ENV_NO_ACCESS : ENV_NO_TRACEFS;
	if (!has_event(root, "/iommufd", &denied))
		/* The device exists whether iommufd is built in or a module. */
		return has(root, "/sys/class/misc/iommu") ? ENV_NO_EVENTS :
							    ENV_NO_IOMMUFD;
	/* This file exists only for modules. */
	if (has(root, "/sys/module/iommufd/initstate")) {
		if (!has(root, "/sys/kernel/btf/iommufd"))
			return ENV_NO_MODULE_BTF;
		if (!admin)
			return ENV_NO_MODULE_PRIVILEGE;
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
