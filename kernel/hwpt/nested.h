/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_HWPT_NESTED_H
#define __IOMMUFD_HWPT_NESTED_H

#include "core/object.h"

struct iommu_user_data;
struct iommufd_ctx;
struct iommufd_device;
struct iommufd_hwpt_nested;
struct iommufd_hwpt_paging;
struct iommufd_viommu;

struct iommufd_hwpt_nested *
iommufd_hwpt_nested_alloc(struct iommufd_ctx *ctx,
			  struct iommufd_hwpt_paging *parent,
			  struct iommufd_viommu *viommu,
			  struct iommufd_device *idev, u32 flags,
			  const struct iommu_user_data *user_data);
void iommufd_hwpt_nested_abort(struct iommufd_ctx *ctx,
			       struct iommufd_hwpt_nested *hwpt);

extern const struct iommufd_object_ops iommufd_hwpt_nested_ops;

#endif
