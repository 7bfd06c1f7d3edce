/* SPDX-License-Identifier: GPL-2.0-only */
/* Records of the audit policy, for readers of its log. */
#ifndef __POLICY_AUDIT_H
#define __POLICY_AUDIT_H

#include <linux/types.h>

enum audit_kind {
	AUDIT_HWPT_ALLOC = 1,
	AUDIT_HWPT_FREE = 2,
	AUDIT_INVALIDATE = 3,
};

struct audit_record {
	__u64 time_ns; /* ktime */
	__u64 cgroup_id; /* of the caller, like tgid, uid and comm */
	__u64 ns; /* duration, 0 for AUDIT_HWPT_FREE */
	__u32 kind; /* enum audit_kind */
	__u32 tgid;
	__u32 uid;
	__u32 ctx;
	__u32 object; /* page table or vIOMMU, 0 if none was allocated */
	__u32 device; /* for AUDIT_HWPT_ALLOC */
	__u32 flags; /* for AUDIT_HWPT_ALLOC: enum iommufd_hwpt_alloc_flags */
	__u32 asked; /* for AUDIT_INVALIDATE: entries */
	__u32 handled; /* for AUDIT_INVALIDATE: entries */
	__s32 ret;
	char comm[16];
};

#endif
