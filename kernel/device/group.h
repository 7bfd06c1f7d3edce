/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DEVICE_GROUP_H
#define __IOMMUFD_DEVICE_GROUP_H

#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "builtin/doorbell.h"
#include "core/ctx.h"
#include "domain/handle.h"

/**
 * struct iommufd_attachment - the attachment of a group or of one of its PASIDs
 * @handle: the attachment to the page table
 * @devices: list of struct iommufd_attached, the devices that were attached by
 *	their driver. Most groups have one device
 */
struct iommufd_attachment {
	struct iommufd_attach_handle *handle;
	struct list_head devices;
};

/**
 * struct iommufd_attached - a device in an attachment of its group
 * @node: link in &iommufd_attachment.devices
 * @idev: the device
 */
struct iommufd_attached {
	struct list_head node;
	struct iommufd_device *idev;
};

/**
 * struct iommufd_group - an IOMMU group with devices bound to a context
 * @ref: one for each device; drops to zero under the xa_lock of
 *	&iommufd_ctx.groups
 * @group: the IOMMU group, to which this holds a reference; NULL for a device
 *	without an IOMMU, which is alone in its group
 * @attachments: struct iommufd_attachment by PASID, including IOMMU_NO_PASID
 * @msi: MSI doorbells that its interrupts use, and the context
 */
struct iommufd_group {
	struct kref ref;
	struct iommu_group *group;
	/**
	 * @lock: protects the members below. Taken after auto_lock of an IOAS
	 * and before its other locks.
	 */
	struct mutex lock;
	struct xarray attachments;
	struct iommufd_msi msi;
};

/* The number of the IOMMU group, 0 without an IOMMU. */
static inline u32 iommufd_group_number(const struct iommufd_group *igroup)
{
	return igroup->group ? iommu_group_id(igroup->group) : 0;
}

struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ctx,
					struct device *dev);
void iommufd_group_put(struct iommufd_group *igroup);

#endif
