/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What numbers are called. */
#ifndef __LIB_NAMES_H
#define __LIB_NAMES_H

#include <linux/types.h>
#include <stdbool.h>

#define NAMES_REASONS 256

/*
 * Takes the reasons and the types of objects from BTF of the running kernel: a
 * newer one may know more. False if it has none; why was said.
 */
bool names_load(void);

/* NULL for a number that the running kernel does not know. */
const char *names_reason(__u32 reason);
const char *names_object_type(__u64 type);

/* Number of a reason, NAMES_REASONS if there is none of that name. */
__u32 names_find_reason(const char *name);

/* NULL for ioctls that are not known here. */
const char *names_request(__u32 command);

/* EINVAL and the like; ? for no errno. */
const char *names_errno(int error);

/* CAP_SYS_ADMIN and the like, those that iommufd asks for; else NULL. */
const char *names_capability(__u64 capability);

#endif
