/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DEVICE_DEVICE_H
#define __IOMMUFD_DEVICE_DEVICE_H

#include "core/object.h"
#include "device/group.h"
#include "trace/reason.h"

struct iommufd_ucmd;
struct iommufd_vdevice;

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
 * @hwpt_id: id of the page table that it is attached to without a PASID, or 0.
 *	Written under the lock of @igroup
 * @group_number: of its IOMMU group, 0 without one
 * @name: its name, truncated
 *
 * Readers that list objects under RCU may still see the object after @igroup
 * and @dev have been freed, so the last three members are copies for them.
 */
struct iommufd_device {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	struct iommufd_group *igroup;
	struct device *dev;
	struct iommufd_vdevice *vdev;
	bool unbinding;
	u32 hwpt_id;
	u32 group_number;
	char name[IOMMUFD_DEVICE_NAME_LEN];
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

extern const struct iommufd_object_ops iommufd_device_ops;

/* device/hw_info.c */
int iommufd_cmd_get_hw_info(struct iommufd_ucmd *ucmd);

#endif
