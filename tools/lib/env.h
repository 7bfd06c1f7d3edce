/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_ENV_H
#define __LIB_ENV_H

#include <stdbool.h>
#include <stddef.h>

/* Why the tools can't work on this machine, in the order in which to fix it. */
enum env_problem {
	ENV_OK,
	ENV_NO_PRIVILEGE,
	ENV_NO_BTF,
	ENV_NO_ACCESS,
	ENV_NO_TRACEFS,
	ENV_NOT_INSTALLED,
	ENV_NO_IOMMUFD,
	ENV_NO_EVENTS,
	ENV_NO_IOCTL_EVENTS,
	ENV_NO_MODULE_BTF,
	ENV_NO_MODULE_PRIVILEGE,
	ENV_NO_TYPE1_BTF,
	ENV_NO_TYPE1_PRIVILEGE,
	/* The tools start, but can't show much. */
	ENV_NO_DEVICE_FILE,
	ENV_INTEL_OFF,
	ENV_AMD_OFF,
	ENV_NO_IOMMU,
};

/* Effective capabilities of this process, one bit each. */
unsigned long long env_capabilities(void);

/*
 * Checks whether something is missing. @root is prepended to every path: ""
 * except in tests.
 */
enum env_problem env_check(const char *root, unsigned long long capabilities);

/*
 * The same for tools/lib/ioctl.h, which needs only the trace events of system
 * calls. For use after ENV_NO_EVENTS.
 */
enum env_problem env_check_stock(const char *root);

/*
 * The same for the additional needs of tools/lib/list.h: the types of the loaded
 * iommufd, ours or the kernel's own.
 */
enum env_problem env_check_lists(const char *root,
				 unsigned long long capabilities);

/* The same where VFIO type1 is all there is. */
enum env_problem env_check_type1(const char *root,
				 unsigned long long capabilities);

/* Whether the kernel uses an IOMMU; if not, which, as far as is known. */
enum env_problem env_check_iommu(const char *root);

/* Whether there is a /dev/iommu, if iommufd is loaded. */
enum env_problem env_check_device_file(const char *root);

/*
 * Whether the running kernel has a module iommufd, loaded or not; true if that
 * is not known. @path, of @size bytes, is NULL or gets its file, from the
 * folder of the kernel's modules, or "".
 */
bool env_find_module(const char *root, char *path, size_t size);

/* One sentence about the problem, and advice on how to fix it. */
const char *env_problem_text(enum env_problem problem);
const char *env_problem_advice(enum env_problem problem);

#endif
