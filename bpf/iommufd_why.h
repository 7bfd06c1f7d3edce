/* SPDX-License-Identifier: GPL-2.0-only */
/* Records of iommufd_why.bpf.c, for iommufd-why. */
#ifndef __IOMMUFD_WHY_H
#define __IOMMUFD_WHY_H

#include <linux/types.h>

enum why_kind {
	WHY_FAIL = 1, /* iommufd_fail */
	/* The subject of the request: struct why_subject. */
	WHY_MAP = 2,
	WHY_UNMAP = 3,
	WHY_HWPT = 4,
	WHY_DEVICE = 5,
};

/* A failure. Processes and users are in the initial namespaces. */
struct why_fail {
	__u32 kind; /* WHY_FAIL */
	__u32 tid;
	__u32 ctx;
	__s32 ret;
	__u32 tgid;
	__u32 uid;
	__u32 command;
	__u32 reason;
	__u64 first;
	__u64 second;
	__u64 offset; /* of the address @first in the mapped file */
	char file[32]; /* name of that file, or empty */
	char policy[16];
	char comm[16];
};

/*
 * Details of a failed request from another event; a thread has one at a time.
 */
struct why_subject {
	__u32 kind;
	__u32 tid;
	__u32 ctx;
	__s32 ret;
	__u32 ioas; /* for WHY_HWPT: its parent */
	__u32 device;
	__u64 iova;
	__u64 length;
	char name[32]; /* name of the device */
};

#endif
