// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VFIO asks when an iommufd stands in for its container. The functions are
 * here for VFIO to link; they say that no IOAS is there for it yet.
 */
#include <linux/export.h>
#include <linux/iommufd.h>

/**
 * iommufd_vfio_compat_ioas_get_id - the IOAS that VFIO type1 requests go to
 * @ictx: the context
 * @out_ioas_id: set to its id
 *
 * Returns -ENODEV: there is none.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	return -ENODEV;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, "IOMMUFD_VFIO");

/**
 * iommufd_vfio_compat_ioas_create - make the IOAS for VFIO type1 requests
 * @ictx: the context
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, "IOMMUFD_VFIO");

/**
 * iommufd_vfio_compat_set_no_iommu - allow the context devices without an IOMMU
 * @ictx: the context
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, "IOMMUFD_VFIO");
