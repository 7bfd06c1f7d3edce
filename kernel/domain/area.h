/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DOMAIN_AREA_H
#define __IOMMUFD_DOMAIN_AREA_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>

struct iommufd_pages;

/**
 * enum iommufd_area_state - state of an area
 * @IOMMUFD_AREA_MAPPING: being mapped; it only keeps its addresses reserved
 * @IOMMUFD_AREA_MAPPED: mapped; it can be unmapped
 * @IOMMUFD_AREA_UNMAPPING: being unmapped; it keeps its addresses reserved
 *	until the IOTLB is flushed
 */
enum iommufd_area_state {
	IOMMUFD_AREA_MAPPING,
	IOMMUFD_AREA_MAPPED,
	IOMMUFD_AREA_UNMAPPING,
};

/**
 * struct iommufd_area - an interval of addresses and the pages it maps
 * @rb: node of &iommufd_iova_map.areas, ordered by @iova
 * @iova: first address
 * @last: last address
 * @hole: size of the unused interval right before @iova
 * @max_hole: largest @hole in the subtree
 * @state: see &enum iommufd_area_state. Its map request sets MAPPED when all of
 *	the area is set, without a lock; any other change takes the iova_lock.
 *	Read it with iommufd_area_state()
 * @pages: the pages, on which the area has a reference
 * @offset: byte in @pages that @iova is mapped to
 * @prot: IOMMU_READ and IOMMU_WRITE, with IOMMU_CACHE for memory or IOMMU_MMIO
 *	for a dma-buf
 * @pinned: the area keeps its pages pinned. While the area is in a map, this
 *	is set with the pin_lock of @pages held, and cleared with the
 *	domains_rwsem of the IOAS held
 * @refs: number of struct iommufd_range_ref that overlap the area. It isn't
 *	unmapped before they are put
 * @pins: sum of the pins that kernel drivers have on its pages. The area isn't
 *	unmapped before they are unpinned
 * @phys_pins: number of users that access the area by physical address. While
 *	there are any, it can't be unmapped
 * @list: link for callers that process several areas
 */
struct iommufd_area {
	struct rb_node rb;
	unsigned long iova;
	unsigned long last;
	unsigned long hole;
	unsigned long max_hole;
	enum iommufd_area_state state;

	struct iommufd_pages *pages;
	unsigned long offset;
	int prot;
	bool pinned;
	unsigned long refs;
	unsigned long pins;
	unsigned long phys_pins;
	struct list_head list;
};

/* If the area is mapped, the caller sees all that its map request has set. */
static inline enum iommufd_area_state
iommufd_area_state(const struct iommufd_area *area)
{
	/* Pairs with publish_areas() in ioas/map.c. */
	return smp_load_acquire(&area->state);
}

static inline unsigned long iommufd_area_length(const struct iommufd_area *area)
{
	return area->last - area->iova + 1;
}

/* Indices of the first and the last page of an area in its pages. */
static inline unsigned long
iommufd_area_first_index(const struct iommufd_area *area)
{
	return area->offset >> PAGE_SHIFT;
}

static inline unsigned long
iommufd_area_last_index(const struct iommufd_area *area)
{
	return (area->offset + (area->last - area->iova)) >> PAGE_SHIFT;
}

static inline unsigned long
iommufd_area_npages(const struct iommufd_area *area)
{
	return iommufd_area_last_index(area) - iommufd_area_first_index(area) +
	       1;
}

#endif
