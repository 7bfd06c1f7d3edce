// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserves the addresses that devices and page tables can't use.
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "core/ctx.h"
#include "ioas/iova_map.h"
#include "ioas/reserve.h"
#include "trace/fail.h"

/**
 * iommufd_iova_map_reserve_regions - reserve addresses that a device can't use
 * @map: the map
 * @regions: struct iommu_resv_region of the device
 * @owner: owner of the reservations
 * @window: set to the window into which MSI doorbells are mapped, if the IOMMU
 *	translates MSIs
 *
 * Return: 0 or an errno of iommufd_iova_map_reserve(). Nothing is changed on
 * failure if the owner had no reservations before.
 */
int iommufd_iova_map_reserve_regions(struct iommufd_iova_map *map,
				     struct list_head *regions, void *owner,
				     struct iommufd_msi_window *window)
{
	struct iommu_resv_region *region;
	int ret;

	list_for_each_entry(region, regions, list) {
		/* Firmware no longer uses these once a device is assigned. */
		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE)
			continue;
		ret = iommufd_iova_map_reserve(map, region->start,
					       region->start +
						       (region->length - 1),
					       owner, false);
		if (ret) {
			iommufd_iova_map_unreserve(map, owner);
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
 * iommufd_iova_map_reserve_outside - reserve addresses outside of an aperture
 * @map: the map
 * @domain: the page table, which can't translate them
 * @owner: owner of the reservations
 *
 * Return: 0 or an errno of iommufd_iova_map_reserve(). Nothing is changed on
 * failure if the owner had no reservations before.
 */
int iommufd_iova_map_reserve_outside(struct iommufd_iova_map *map,
				     struct iommu_domain *domain, void *owner)
{
	struct iommu_domain_geometry *geometry = &domain->geometry;
	int ret = 0;

	if (!geometry->force_aperture)
		return 0;
	if (geometry->aperture_start)
		ret = iommufd_iova_map_reserve(map, 0,
					       geometry->aperture_start - 1,
					       owner, true);
	if (!ret && geometry->aperture_end < ULONG_MAX)
		ret = iommufd_iova_map_reserve(map, geometry->aperture_end + 1,
					       ULONG_MAX, owner, true);
	if (ret)
		iommufd_iova_map_unreserve(map, owner);
	return ret;
}

/**
 * iommufd_iova_map_usable - list the ranges that are not reserved
 * @map: the map
 * @ranges: set to the first @room of these ranges
 * @room: number of entries in @ranges
 *
 * Return: the total number of ranges.
 */
u32 iommufd_iova_map_usable(struct iommufd_iova_map *map,
			    struct iommu_iova_range *ranges, u32 room)
{
	struct interval_tree_span_iter span;
	u32 n = 0;

	interval_tree_for_each_span(&span, &map->reserved, 0, ULONG_MAX) {
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
