/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_CORE_CTX_H
#define __IOMMUFD_CORE_CTX_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "trace/trace.h"

struct device;
struct file;
struct iommufd_ioas;

/* Doorbells of MSIs that a context can know. */
#define IOMMUFD_DOORBELLS	256

/**
 * struct iommufd_msi_window - addresses that an IOMMU driver sets aside for
 *	the doorbells of MSIs
 * @start: first address
 * @length: bytes, 0 if doorbells need not be mapped
 */
struct iommufd_msi_window {
	phys_addr_t start;
	size_t length;
};

/**
 * struct iommufd_ctx - an open file of /dev/iommu
 * @file: the file; who holds a reference to it keeps the context alive
 * @objects: the table of objects by id; its xa_lock is described in
 *	core/object.h and nests inside every other lock of iommufd
 * @destroy_wait: destroyers that wait for a call to let go of an object
 * @watches: struct iommufd_watch of calls that wait without a reference to their
 *	object. Protected by the xa_lock of @objects
 * @groups: struct iommufd_group by iommu group id; its xa_lock guards their
 *	reference counts from zero
 * @doorbells: doorbells of MSIs, see driver/doorbell.c
 * @msi_handles: struct iommufd_attach_handle of devices, not of PASIDs, that
 *	are attached or about to be
 * @vfio_ioas: the IOAS of VFIO type1 requests, or NULL, see vfio/compat.c.
 *	Protected by the xa_lock of @objects
 * @vfio_noiommu: a group without an IOMMU has it as its container, so that there
 *	is nothing for type1 requests to act on. Once set it stays; set under the
 *	xa_lock of @objects
 * @mmaps: struct iommufd_mmap by their offset, see core/mmap.h
 * @accounting: what pinned pages are charged to from now on
 * @pinned: pages that are charged for it
 * @rcu: who lists contexts may still look at it
 * @number: names the context in tracepoints, never used twice
 * @tgid: process that opened it, in the initial pid namespace
 * @uid: its real user id, in the initial user namespace
 * @comm: its name at that time
 */
struct iommufd_ctx {
	struct file *file;
	struct xarray objects;
	wait_queue_head_t destroy_wait;
	struct list_head watches;
	struct xarray groups;
	/**
	 * @process_lock: one IOMMU_IOAS_CHANGE_PROCESS at a time. Taken before
	 * all locks of an IOAS and of pages.
	 */
	struct mutex process_lock;
	/**
	 * @doorbells_lock: protects @doorbells, @msi_handles, and the
	 * bitmaps of groups and page tables that tell which of the pages they
	 * know. Taken inside the mutex of an IOMMU group; page tables are
	 * written under it.
	 */
	struct mutex doorbells_lock;
	struct list_head doorbells;
	struct list_head msi_handles;
	struct iommufd_ioas *vfio_ioas;
	bool vfio_noiommu;
	/**
	 * @mmaps_lock: protects @mmaps. Taken inside mmap_lock, and before the
	 * xa_lock of @objects.
	 */
	struct mutex mmaps_lock;
	struct list_head mmaps;
	enum iommufd_accounting accounting;
	atomic_long_t pinned;
	struct rcu_head rcu;

	u32 number;
	pid_t tgid;
	uid_t uid;
	char comm[TASK_COMM_LEN];
};

/* All contexts by their number, from open to release; read under RCU. */
extern struct xarray iommufd_contexts;

struct device *iommufd_misc_device(void);

#endif
