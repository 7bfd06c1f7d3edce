/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver core is the part of iommufd that IOMMU drivers call. It is built
 * into the kernel. The driver core of this project works on objects of this
 * project only, and that of any other iommufd on its own: their structures are
 * private.
 *
 * If iommufd is built as an external module, for an installed kernel, IOMMU
 * drivers call the driver core of that kernel, or were compiled without one.
 * Features that would not work there must be refused. The functions below tell.
 */
#ifndef __IOMMUFD_CORE_DRIVER_CORE_H
#define __IOMMUFD_CORE_DRIVER_CORE_H

#include <linux/iommu.h>
#include <linux/kconfig.h>

/*
 * If not, IOMMU drivers can't report events of vIOMMUs, nor offer hardware pages
 * to user space. MSI doorbells can't be mapped: the IOMMU core asks the driver
 * core for them.
 */
static inline bool iommufd_driver_core_is_ours(void)
{
	return !IS_ENABLED(CONFIG_IOMMUFD_EXTERNAL);
}

/* Drivers of x86 IOMMUs pass no vIOMMU to the driver core, those of Arm do. */
static inline bool iommufd_serves_viommus(void)
{
	return iommufd_driver_core_is_ours() || IS_ENABLED(CONFIG_X86);
}

static inline bool iommufd_maps_doorbells(void)
{
	return IS_ENABLED(CONFIG_IRQ_MSI_IOMMU) && iommufd_driver_core_is_ours();
}

/*
 * A driver that was compiled without iova_bitmap_set() clears the dirty marks,
 * but does not report them.
 */
static inline bool iommufd_tracks_dirty(struct device *dev)
{
	return (iommufd_driver_core_is_ours() ||
		IS_ENABLED(CONFIG_IOMMUFD_DRIVERS_REPORT_DIRTY)) &&
	       device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING);
}

#endif
