/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_ENV_H
#define __LIB_ENV_H

/* Why the tools can't work on this machine, in the order in which to fix it. */
enum env_problem {
	ENV_OK,
	ENV_NO_PRIVILEGE,
	ENV_NO_BTF,
	ENV_NO_ACCESS,
	ENV_NO_TRACEFS,
	ENV_NO_IOMMUFD,
	ENV_NO_EVENTS,
	ENV_NO_IOCTL_EVENTS,
	ENV_NO_MODULE_BTF,
	ENV_NO_MODULE_PRIVILEGE,
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

/* One sentence about the problem, and advice on how to fix it. */
const char *env_problem_text(enum env_problem problem);
const char *env_problem_advice(enum env_problem problem);

#endif
