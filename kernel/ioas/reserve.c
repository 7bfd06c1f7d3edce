// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which addresses devices and page tables can't use.
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "core/ctx.h"
#include "ioas/space.h"

/**
 * iommufd_space_reserve_regions - keep addresses free that a device can't use
 * @space: the space
 * @regions: struct iommu_resv_region of the device
 * @owner: for whose sake
 * @window: set to where the doorbells of MSIs are to be mapped, if the IOMMU
 *	translates them
 *
 * Returns 0 or see iommufd_space_reserve(). Nothing is changed on failure if
 * the owner had nothing reserved before.
 */
int iommufd_space_reserve_regions(struct iommufd_space *space,
				  struct list_head *regions, void *owner,
				  struct iommufd_msi_window *window)
{
	struct iommu_resv_region *region;
	int ret;

	list_for_each_entry(region, regions, list) {
		/* Firmware lets go of these when a device is assigned. */
		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE)
			continue;
		ret = iommufd_space_reserve(space, region->start,
					    region->start +
						    (region->length - 1),
					    owner, false);
		if (ret) {
			iommufd_space_unreserve(space, owner);
			return ret;
		}
		if (region->type == IOMMU_RESV_SW_MSI)
			*window = (struct iommufd_msi_window){
				.start = region->start,
				.length = region->length,
			};
	}
	return 0;
}

/**
 * iommufd_space_reserve_outside - keep addresses free that are not translated
 * @space: the space
 * @domain: the page table that can't translate them
 * @owner: for whose sake
 *
 * Returns 0 or see iommufd_space_reserve(). Nothing is changed on failure if
 * the owner had nothing reserved before.
 */
int iommufd_space_reserve_outside(struct iommufd_space *space,
				  struct iommu_domain *domain, void *owner)
{
	struct iommu_domain_geometry *geometry = &domain->geometry;
	int ret = 0;

	if (!geometry->force_aperture)
		return 0;
	if (geometry->aperture_start)
		ret = iommufd_space_reserve(space, 0,
					    geometry->aperture_start - 1,
					    owner, true);
	if (!ret && geometry->aperture_end < ULONG_MAX)
		ret = iommufd_space_reserve(space, geometry->aperture_end + 1,
					    ULONG_MAX, owner, true);
	if (ret)
		iommufd_space_unreserve(space, owner);
	return ret;
}

/**
 * iommufd_space_usable - list what is not reserved
 * @space: the space
 * @ranges: set to the ranges, as many as there is room for
 * @room: how many that are
 *
 * Returns how many ranges there are.
 */
u32 iommufd_space_usable(struct iommufd_space *space,
			 struct iommu_iova_range *ranges, u32 room)
{
	struct interval_tree_span_iter span;
	u32 n = 0;

	interval_tree_for_each_span(&span, &space->reserved, 0, ULONG_MAX) {
		if (!span.is_hole)
			continue;
		if (n < room) {
			ranges[n].start = span.start_hole;
			ranges[n].last = span.last_hole;
		}
		n++;
	}
	return n;
}
