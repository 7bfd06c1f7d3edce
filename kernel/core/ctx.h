/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_CORE_CTX_H
#define __IOMMUFD_CORE_CTX_H

#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "trace/trace.h"

struct file;

/**
 * struct iommufd_ctx - an open file of /dev/iommu
 * @file: the file; who holds a reference to it keeps the context alive
 * @objects: the table of objects by id; its xa_lock is described in
 *	core/object.h and nests inside every other lock of iommufd
 * @destroy_wait: destroyers that wait for a call to let go of an object
 * @groups: struct iommufd_group by iommu group id; its xa_lock guards their
 *	reference counts from zero
 * @accounting: what pinned pages are charged to from now on
 * @number: names the context in tracepoints, never used twice
 * @tgid: process that opened it, in the initial pid namespace
 * @uid: its real user id, in the initial user namespace
 * @comm: its name at that time
 */
struct iommufd_ctx {
	struct file *file;
	struct xarray objects;
	wait_queue_head_t destroy_wait;
	struct xarray groups;
	enum iommufd_accounting accounting;

	u32 number;
	pid_t tgid;
	uid_t uid;
	char comm[TASK_COMM_LEN];
};

#endif
