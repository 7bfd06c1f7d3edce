/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How much memory a process must be allowed to lock. */
#ifndef __NEED_H
#define __NEED_H

#include <stdbool.h>
#include "pins.h"

/**
 * struct need - what a process needs for what it has mapped now, in pages;
 *	LIST_UNKNOWN if the kernel does not show it
 * @pinned: pinned in all of its contexts
 * @to_pin: mapped in IOAS without a device, and pinned when they get one
 * @mm: RLIMIT_MEMLOCK if each process is charged for itself (mode mm), with
 *	what else the process has locked
 * @user: RLIMIT_MEMLOCK if all processes of the user are charged together (mode
 *	user), with what else they have locked
 * @cgroup_free: bytes until the least memory.max of its cgroups, LIST_UNKNOWN
 *	if none has one
 * @cgroup_tables: bytes of page tables of IOMMUs and of KVM that are charged to
 *	its cgroup
 */
struct need {
	__u64 pinned;
	__u64 to_pin;
	__u64 mm;
	__u64 user;
	__u64 cgroup_free;
	__u64 cgroup_tables;
};

struct needs;

/* Adds up the contexts of a report, which must be all of the machine. */
struct needs *needs_begin(const struct report *report);
void needs_end(struct needs *needs);

struct need need_of(const struct needs *needs, const struct ctx *ctx);

/* Whether this is the first call for the process of the context. */
bool need_is_first(struct needs *needs, const struct ctx *ctx);

#endif
