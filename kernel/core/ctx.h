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
struct iommufd_process;

/* Maximum number of MSI doorbells per context. */
#define IOMMUFD_DOORBELLS	256

/**
 * struct iommufd_msi_window - addresses that an IOMMU driver reserves for MSI
 *	doorbells
 * @start: first address
 * @length: bytes, 0 if doorbells need not be mapped
 */
struct iommufd_msi_window {
	phys_addr_t start;
	size_t length;
};

/**
 * struct iommufd_ctx - an open file of /dev/iommu
 * @file: the file; a reference to it keeps the context alive
 * @objects: the object table, by id; its xa_lock is described in core/object.h
 *	and nests inside every other lock of iommufd
 * @found: the object in @objects that was looked up last, or NULL. Protected by
 *	the xa_lock of @objects
 * @destroy_wait: destroyers that wait for calls to put an object
 * @watches: struct iommufd_watch of calls that wait without a reference to
 *	their object. Protected by the xa_lock of @objects
 * @groups: struct iommufd_group by IOMMU group id; under its xa_lock a
 *	reference count drops to zero, and a lookup takes a reference
 * @doorbells: MSI doorbells, see builtin/doorbell.c
 * @msi_handles: struct iommufd_attach_handle of devices (not of PASIDs) that
 *	are attached or being attached
 * @vfio_ioas: the IOAS of VFIO type1 requests, or NULL, see vfio/compat.c.
 *	Protected by the xa_lock of @objects
 * @vfio_noiommu: the context is the container of a group without an IOMMU, so
 *	that type1 requests have nothing to act on. Set under the xa_lock of
 *	@objects, never cleared
 * @mmaps: list of struct iommufd_mmap, see core/mmap.h
 * @accounting: how newly pinned pages are charged
 * @process: the first process that mapped memory, or NULL; set once, see
 *	pages/owner.c
 * @pinned: number of pages charged on behalf of this context
 * @rcu: defers freeing, as readers list contexts under RCU
 * @number: identifies the context in tracepoints
 * @tgid: process that opened it, in the initial pid namespace
 * @uid: its real user id, in the initial user namespace
 * @comm: its name at that time
 */
struct iommufd_ctx {
	struct file *file;
	struct xarray objects;
	struct iommufd_object *found;
	wait_queue_head_t destroy_wait;
	struct list_head watches;
	struct xarray groups;
	/**
	 * @process_lock: serializes IOMMU_IOAS_CHANGE_PROCESS. Taken before all
	 * locks of an IOAS and of pages.
	 */
	struct mutex process_lock;
	/**
	 * @doorbells_lock: protects @doorbells, @msi_handles, and the bitmaps
	 * of groups and page tables that record which doorbells they use or
	 * map. Taken inside the mutex of an IOMMU group; page tables are
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
	struct iommufd_process *process;
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
