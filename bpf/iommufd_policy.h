/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The types of iommufd that policies use, which kernel/bpf/iommufd_bpf.h
 * describes. As in iommufd_events.h, only names and types matter.
 *
 * A policy reads its settings from a map with one element, which can be changed
 * while the policy is attached.
 */
#ifndef __IOMMUFD_POLICY_H
#define __IOMMUFD_POLICY_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct iommufd_bpf_caller {
	__u32 ctx;
	__u32 tgid;
	__u32 uid;
	__u64 cgroup_id;
};

struct iommufd_bpf_hwpt {
	struct iommufd_bpf_caller caller;
	__u32 hwpt;
	__u32 parent;
	__u32 device;
	__u32 kind;
	__u32 automatic;
	__u32 flags;
	__u32 data_type;
	__u32 data_len;
	__u64 data;
	__s32 ret;
	__u32 add_flags;
	__u64 ns;
	__u32 max_page_shift;
	__u32 can_add;
};

struct iommufd_bpf_invalidate {
	struct iommufd_bpf_caller caller;
	__u32 object;
	__u32 kind;
	__u32 data_type;
	__u32 entry_len;
	__u32 asked;
	__u32 handled;
	__u64 data;
	__s32 ret;
	__u32 limit;
	__u64 delay_ns;
	__u64 ns;
};

#define IOMMUFD_BPF_MAX_ANCESTORS 16

struct iommufd_bpf_charge {
	__u32 ctx;
	__u32 ioas;
	__u32 tgid;
	__u32 uid;
	__u32 source;
	__u32 forced;
	__u64 npages;
	__u64 detail;
	__u64 cgroup_id;
	__u32 level;
	__u32 page_shift;
	__u64 ancestors[IOMMUFD_BPF_MAX_ANCESTORS];
};

#pragma clang attribute pop

struct iommufd_bpf_ops {
	int (*hwpt_alloc)(struct iommufd_bpf_hwpt *call);
	void (*hwpt_alloc_done)(struct iommufd_bpf_hwpt *call);
	void (*hwpt_free)(struct iommufd_bpf_hwpt *call);
	int (*hwpt_invalidate)(struct iommufd_bpf_invalidate *call);
	void (*hwpt_invalidate_done)(struct iommufd_bpf_invalidate *call);
	char name[16];
	__s32 priority;
	__u32 flags;
	__u64 cgroup_id;
	int (*charge)(struct iommufd_bpf_charge *call);
	void (*uncharge)(struct iommufd_bpf_charge *call);
};

#define EDQUOT	     122
#define NSEC_PER_SEC 1000000000ULL

#define IOMMUFD_BPF_MAX_DELAY_NS NSEC_PER_SEC

/* enum iommufd_hwpt_alloc_flags */
#define IOMMU_HWPT_ALLOC_DIRTY_TRACKING 2

#endif
