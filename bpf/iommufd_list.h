/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of iommufd_list.bpf.c. The members have the same meaning as those of
 * the kernel's structures, see iommufd_iter.h.
 */
#ifndef __IOMMUFD_LIST_H
#define __IOMMUFD_LIST_H

#include <linux/types.h>

enum list_kind {
	LIST_CTX = 1,
	LIST_OBJECT = 2,
};

struct list_ctx {
	__u32 kind; /* LIST_CTX */
	__u32 ctx;
	__u32 tgid;
	__u32 uid;
	__u32 accounting;
	__u32 unused;
	__u64 pinned;
	char comm[16];
};

struct list_object {
	__u32 kind; /* LIST_OBJECT */
	__u32 ctx;
	__u32 id;
	__u32 type;
	__u32 users;
	__u32 parent;
	__u32 flags;
	__u32 unused;
	__u64 seq;
	__u64 mapped;
	__u64 areas;
	__u64 pinned;
	__u64 maps;
	__u64 unmaps;
	__u64 invalidations;
	__u64 faults;
};

#endif
