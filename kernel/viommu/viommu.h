/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_VIOMMU_VIOMMU_H
#define __IOMMUFD_VIOMMU_VIOMMU_H

#include "core/object.h"

struct iommufd_ctx;
struct iommufd_device;
struct iommufd_ucmd;

/* viommu/viommu.c */
struct iommufd_viommu *iommufd_viommu_get(struct iommufd_ctx *ctx, u32 id);

/* viommu/vdevice.c */
void iommufd_vdevice_unbind(struct iommufd_device *idev);

extern const struct iommufd_object_ops iommufd_hw_queue_ops;
extern const struct iommufd_object_ops iommufd_vdevice_ops;
extern const struct iommufd_object_ops iommufd_viommu_ops;

int iommufd_cmd_hw_queue_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_vdevice_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_viommu_alloc(struct iommufd_ucmd *ucmd);

#endif
