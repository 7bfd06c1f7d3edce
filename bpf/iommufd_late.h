/* SPDX-License-Identifier: GPL-2.0-only */
/* The argument of iommufd_late.bpf.c. */
#ifndef __IOMMUFD_LATE_H
#define __IOMMUFD_LATE_H

#include <linux/types.h>

/* @link: id of the link of the policy that is to be charged */
struct late_args {
	__u32 link;
};

/* Returned if the kernel can't do it. */
#define LATE_NOT_KNOWN 1

#endif
