/* SPDX-License-Identifier: GPL-2.0-only */
/* Records of iommufd_why.bpf.c, for iommufd-why. */
#ifndef __IOMMUFD_WHY_H
#define __IOMMUFD_WHY_H

#include <linux/types.h>

/* In place of the command of a request: a file of VFIO could not be opened. */
#define WHY_OPEN 0
/* Where these files are. */
#define WHY_FOLDER "/dev/vfio/"

enum why_kind {
	WHY_FAIL = 1, /* iommufd_fail */
	/* The subject of the request: struct why_subject. */
	WHY_MAP = 2,
	WHY_UNMAP = 3,
	WHY_HWPT = 4,
	WHY_DEVICE = 5,
	/* A new page table with a fault queue, whose id is in @device. */
	WHY_QUEUED = 6,
};

/*
 * A failure. Processes and users are in the initial namespaces. If @vfio is
 * set, VFIO refused the request without asking iommufd: there is neither a
 * context nor a reason.
 */
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
	/* Name of that file, or of that of @fd, or the rest of the path after
	 * WHY_FOLDER; or empty
	 */
	char file[32];
	/* The device, if it is a file of VFIO for one, or asks a group for one. */
	char device[32];
	__u32 vfio;
	__s32 fd; /* the file of VFIO that the request is for */
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
