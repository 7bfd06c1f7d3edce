/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that the IOMMU core exports to iommufd (namespace
 * IOMMUFD_INTERNAL). Packages of kernel headers do not contain the header of
 * that name.
 */
#ifndef __IOMMUFD_COMPAT_IOMMU_PRIV_H
#define __IOMMUFD_COMPAT_IOMMU_PRIV_H

#include <linux/iommu.h>

struct msi_desc;

static inline const struct iommu_ops *dev_iommu_ops(struct device *dev)
{
	return dev->iommu->iommu_dev->ops;
}

struct iommu_attach_handle *iommu_attach_handle_get(struct iommu_group *group,
						    ioasid_t pasid,
						    unsigned int type);
int iommu_attach_group_handle(struct iommu_domain *domain,
			      struct iommu_group *group,
			      struct iommu_attach_handle *handle);
void iommu_detach_group_handle(struct iommu_domain *domain,
			       struct iommu_group *group);
int iommu_replace_group_handle(struct iommu_group *group,
			       struct iommu_domain *new_domain,
			       struct iommu_attach_handle *handle);
int iommu_replace_device_pasid(struct iommu_domain *domain, struct device *dev,
			       ioasid_t pasid,
			       struct iommu_attach_handle *handle);

#endif
