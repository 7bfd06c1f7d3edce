/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DEVICE_DEVICE_H
#define __IOMMUFD_DEVICE_DEVICE_H

#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/mutex.h>

#include "core/object.h"

struct iommufd_ctx;
struct iommufd_hwpt_paging;

/**
 * struct iommufd_attach_handle - what a fault finds out about an attachment
 * @handle: known to the IOMMU core while the group is attached
 * @hwpt: the page table
 */
struct iommufd_attach_handle {
	struct iommu_attach_handle handle;
	struct iommufd_hwpt_paging *hwpt;
};

/**
 * struct iommufd_group - an IOMMU group with devices bound to a context
 * @ref: its devices; drops to zero under the xa_lock of &iommufd_ctx.groups
 * @ctx: the context
 * @group: the group, of which this has a reference
 * @handle: of the one page table that all devices of the group share, or NULL
 * @nr_attached: devices that have asked to be attached to it
 */
struct iommufd_group {
	struct kref ref;
	struct iommufd_ctx *ctx;
	struct iommu_group *group;
	/**
	 * @lock: protects what follows. Taken after auto_lock of an IOAS,
	 * before its other locks.
	 */
	struct mutex lock;
	struct iommufd_attach_handle *handle;
	unsigned int nr_attached;
};

/**
 * struct iommufd_device - a device bound to a context
 * @obj: the object, which depends on itself until the driver unbinds the device
 * @ctx: its context, of which this has a reference
 * @igroup: its group
 * @dev: the device; its driver keeps it while it is bound
 * @hwpt: what it is attached to, or NULL. Protected by the lock of @igroup
 */
struct iommufd_device {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	struct iommufd_group *igroup;
	struct device *dev;
	struct iommufd_hwpt_paging *hwpt;
};

/* device/group.c */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ctx,
					struct device *dev);
void iommufd_group_put(struct iommufd_group *igroup);

/* device/attach.c */
int iommufd_attach(struct iommufd_device *idev, u32 *pt_id);
void iommufd_detach(struct iommufd_device *idev);

#endif
