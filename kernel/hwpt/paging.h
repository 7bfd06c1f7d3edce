/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_HWPT_PAGING_H
#define __IOMMUFD_HWPT_PAGING_H

#include "core/object.h"

struct iommu_user_data;
struct iommufd_device;
struct iommufd_hwpt_paging;
struct iommufd_ioas;

struct iommufd_hwpt_paging *
iommufd_hwpt_paging_alloc(struct iommufd_ioas *ioas,
			  struct iommufd_device *idev, u32 flags,
			  u32 max_page_shift,
			  const struct iommu_user_data *user_data);
void iommufd_hwpt_paging_abort(struct iommufd_hwpt_paging *hwpt);
int iommufd_hwpt_paging_check(const struct iommufd_hwpt_paging *hwpt,
			      const struct iommufd_device *idev);

extern const struct iommufd_object_ops iommufd_hwpt_paging_ops;

#endif
