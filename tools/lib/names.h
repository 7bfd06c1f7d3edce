/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of numbers. */
#ifndef __LIB_NAMES_H
#define __LIB_NAMES_H

#include <linux/types.h>
#include <stdbool.h>

#define NAMES_REASONS 256

/*
 * Reads reasons and object types from the BTF of the running kernel, because a
 * newer kernel may have more of them. Returns false after reporting an error.
 */
bool names_load(void);

/* NULL if the running kernel does not know the number. */
const char *names_reason(__u32 reason);
const char *names_object_type(__u64 type);

/* Number of a reason, NAMES_REASONS if no reason has that name. */
__u32 names_find_reason(const char *name);

/* NULL for unknown ioctls. */
const char *names_request(__u32 command);

/* EINVAL and so on; ? if @error is not an errno. */
const char *names_errno(int error);

/* CAP_SYS_ADMIN and so on, for capabilities that iommufd needs; else NULL. */
const char *names_capability(__u64 capability);

#endif
