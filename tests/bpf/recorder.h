/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The settings and records of recorder.bpf.c; tests/lib/policy_recorder.py mirrors
 * them.
 */
#ifndef __RECORDER_H
#define __RECORDER_H

#include <linux/types.h>

/* Policies in the object. */
#define RECORDERS 3

enum recorder_hook {
	HOOK_ALLOC = 1,
	HOOK_ALLOC_DONE = 2,
	HOOK_FREE = 3,
	HOOK_INVALIDATE = 4,
	HOOK_INVALIDATE_DONE = 5,
};

/* The answers of a policy: an element of the map "settings" for each. */
struct recorder_settings {
	__s64 alloc_ret;
	__s64 invalidate_ret;
	__u64 delay_ns;
	__u32 add_flags;
	__u32 set_limit; /* limit is set */
	__u32 limit;
	__u32 stay; /* hooks do not return while this is set, up to a maximum */
	__u32 quiet; /* nothing is recorded */
	__u32 max_page_shift;
};

/* One call of a hook. Members that the hook does not have are 0. */
struct recorder_call {
	__u32 who;
	__u32 hook; /* enum recorder_hook */
	__u32 pid; /* the thread */
	__u32 ctx;
	__u32 tgid;
	__u32 uid;
	__u32 object; /* hwpt or object */
	__u32 parent;
	__u32 device;
	__u32 kind;
	__u32 automatic;
	__u32 flags;
	__u32 data_type;
	__u32 length; /* data_len or entry_len */
	__u32 asked;
	__u32 handled;
	__u32 limit;
	__u32 add_flags;
	__s32 ret;
	__u32 word; /* the first bytes at data, in the hooks before the driver */
	__u64 cgroup_id;
	__u64 data;
	__u64 delay_ns;
	__u64 ns;
	__u32 max_page_shift;
	__u32 can_add;
};

#endif
