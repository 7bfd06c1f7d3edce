/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_VIOMMU_VIOMMU_H
#define __IOMMUFD_VIOMMU_VIOMMU_H

#include "core/object.h"

struct iommufd_ctx;
struct iommufd_device;

/* viommu/viommu.c */
struct iommufd_viommu *iommufd_viommu_get(struct iommufd_ctx *ctx, u32 id);

/* viommu/vdevice.c */
void iommufd_vdevice_unbind(struct iommufd_device *idev);

#endif
