/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DEVICE_DEVICE_H
#define __IOMMUFD_DEVICE_DEVICE_H

#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "builtin/doorbell.h"
#include "core/ctx.h"
#include "core/object.h"
#include "domain/handle.h"

struct iommufd_group;
struct iommufd_ucmd;
struct iommufd_vdevice;

/**
 * struct iommufd_attachment - the attachment of a group or of one of its PASIDs
 * @handle: the attachment to the page table
 * @devices: struct iommufd_device by id: the devices that were attached by
 *	their driver
 */
struct iommufd_attachment {
	struct iommufd_attach_handle *handle;
	struct xarray devices;
};

/**
 * struct iommufd_group - an IOMMU group with devices bound to a context
 * @ref: one for each device; drops to zero under the xa_lock of
 *	&iommufd_ctx.groups
 * @ctx: the context
 * @group: the IOMMU group, to which this holds a reference; NULL for a device
 *	without an IOMMU, which is alone in its group
 * @attachments: struct iommufd_attachment by PASID, including IOMMU_NO_PASID
 * @msi: MSI doorbells that its interrupts use
 */
struct iommufd_group {
	struct kref ref;
	struct iommufd_ctx *ctx;
	struct iommu_group *group;
	/**
	 * @lock: protects the members below. Taken after auto_lock of an IOAS
	 * and before its other locks.
	 */
	struct mutex lock;
	struct xarray attachments;
	struct iommufd_msi msi;
};

/**
 * struct iommufd_device - a device bound to a context
 * @obj: the object; it has one extra user until the driver unbinds the device
 * @ctx: its context, to which this holds a reference, except for devices of the
 *	software IOMMU
 * @igroup: its group
 * @dev: the device; its driver keeps it alive while it is bound
 * @vdev: its vDEVICE, or NULL. Protected by the lock of @igroup
 * @unbinding: it must not get a vDEVICE any more. Protected by the lock of
 *	@igroup
 */
struct iommufd_device {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	struct iommufd_group *igroup;
	struct device *dev;
	struct iommufd_vdevice *vdev;
	bool unbinding;
};

static inline struct iommufd_device *to_device(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_device, obj);
}

/* Check if a device has no IOMMU, so that it does DMA to physical addresses. */
static inline bool iommufd_device_is_noiommu(const struct iommufd_device *idev)
{
	return IS_ENABLED(CONFIG_IOMMUFD_NOIOMMU) && !idev->igroup->group;
}

/* The number of the IOMMU group, 0 without an IOMMU. */
static inline u32 iommufd_group_number(const struct iommufd_group *igroup)
{
	return igroup->group ? iommu_group_id(igroup->group) : 0;
}

/* device/group.c */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ctx,
					struct device *dev);
void iommufd_group_put(struct iommufd_group *igroup);

/* device/attach.c */
int iommufd_attach(struct iommufd_device *idev, ioasid_t pasid, u32 *pt_id);
int iommufd_replace(struct iommufd_device *idev, ioasid_t pasid, u32 *pt_id);
void iommufd_detach(struct iommufd_device *idev, ioasid_t pasid);

extern const struct iommufd_object_ops iommufd_device_ops;

/* device/hw_info.c */
int iommufd_cmd_get_hw_info(struct iommufd_ucmd *ucmd);

#endif
