/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The settings and records of charges.bpf.c; tests/lib/charge_recorder.py mirrors them. */
#ifndef __CHARGES_H
#define __CHARGES_H

#include <linux/types.h>

/* Policies in the object. */
#define CHARGERS 2

enum charges_hook {
	HOOK_CHARGE = 1,
	HOOK_UNCHARGE = 2,
};

/* The answer of a policy: an element of the map "settings" for each. */
struct charges_settings {
	__s64 ret;
	__u64 detail;
};

/* One call. */
struct charges_call {
	__u32 who;
	__u32 hook; /* enum charges_hook */
	__u32 ctx;
	__u32 ioas;
	__u32 tgid;
	__u32 uid;
	__u32 source;
	__u32 forced;
	__u32 level;
	__u32 page_shift;
	__u64 npages;
	__u64 cgroup_id;
	__u64 ancestors[16];
};

#endif
