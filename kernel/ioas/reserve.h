/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_RESERVE_H
#define __IOMMUFD_IOAS_RESERVE_H

#include <linux/types.h>

struct iommu_domain;
struct iommu_iova_range;
struct iommufd_iova_map;
struct iommufd_msi_window;
struct list_head;

int iommufd_iova_map_reserve_regions(struct iommufd_iova_map *map,
				     struct list_head *regions, void *owner,
				     struct iommufd_msi_window *window);
int iommufd_iova_map_reserve_outside(struct iommufd_iova_map *map,
				     struct iommu_domain *domain, void *owner);
u32 iommufd_iova_map_usable(struct iommufd_iova_map *map,
			    struct iommu_iova_range *ranges, u32 room);

#endif
