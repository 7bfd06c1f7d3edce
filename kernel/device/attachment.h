/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DEVICE_ATTACHMENT_H
#define __IOMMUFD_DEVICE_ATTACHMENT_H

#include <linux/iommu.h>

struct iommufd_device;
struct iommufd_hw_pagetable;

int iommufd_attach_hwpt(struct iommufd_device *idev, ioasid_t pasid,
			struct iommufd_hw_pagetable *hwpt);
int iommufd_replace_hwpt(struct iommufd_device *idev, ioasid_t pasid,
			 struct iommufd_hw_pagetable *hwpt,
			 struct list_head *ended);
struct iommufd_hw_pagetable *iommufd_detach_hwpt(struct iommufd_device *idev,
						 ioasid_t pasid);

#endif
