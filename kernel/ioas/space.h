/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_SPACE_H
#define __IOMMUFD_IOAS_SPACE_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>

struct iommu_domain;
struct iommu_iova_range;
struct iommufd_msi_window;
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
 * @rb: node of &iommufd_space.areas, ordered by @iova
 * @iova: first address
 * @last: last address
 * @hole: size of the unused interval right before @iova
 * @max_hole: largest @hole in the subtree
 * @state: see &enum iommufd_area_state
 * @pages: the pages, on which the area has a reference
 * @offset: byte in @pages that @iova is mapped to
 * @prot: IOMMU_READ and IOMMU_WRITE, with IOMMU_CACHE for memory or IOMMU_MMIO
 *	for a dma-buf
 * @pinned: the area keeps its pages pinned. While the area is in a space, this
 *	is set with the pin_lock of @pages held, and cleared with the
 *	hwpts_rwsem of the IOAS held
 * @held: number of struct iommufd_hold that overlap the area. It isn't unmapped
 *	before they are released
 * @pins: sum of the pins that kernel drivers have on its pages. The area isn't
 *	unmapped before they are unpinned
 * @fixed: number of users that access the area by physical address. While there
 *	are any, it can't be unmapped
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
	unsigned long held;
	unsigned long pins;
	unsigned long fixed;
	struct list_head list;
};

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

/**
 * struct iommufd_reserved - an interval of addresses that must not be mapped
 * @node: the interval; intervals may overlap
 * @owner: the device or page table that it is reserved for
 * @aperture: reserved because the page table can't translate it
 */
struct iommufd_reserved {
	struct interval_tree_node node;
	void *owner;
	bool aperture;
};

/**
 * struct iommufd_allowed - an interval of addresses that must stay usable
 * @node: the interval; intervals don't overlap
 */
struct iommufd_allowed {
	struct interval_tree_node node;
};

/**
 * struct iommufd_space - the used and the usable I/O virtual addresses
 * @areas: areas, which don't overlap
 * @reserved: struct iommufd_reserved
 * @allowed: struct iommufd_allowed; if there are any, addresses are chosen only
 *	from them
 * @alignment: required alignment of every area: a power of two, at most
 *	PAGE_SIZE
 *
 * This is a plain data structure: the caller provides locking.
 */
struct iommufd_space {
	struct rb_root areas;
	struct rb_root_cached reserved;
	struct rb_root_cached allowed;
	unsigned long alignment;
};

void iommufd_space_init(struct iommufd_space *space);

int iommufd_space_insert(struct iommufd_space *space,
			 struct iommufd_area *area, unsigned long iova,
			 unsigned long length);
int iommufd_space_find(struct iommufd_space *space, unsigned long length,
		       unsigned long align, unsigned long phase,
		       unsigned long *iova);
int iommufd_space_place(struct iommufd_space *space, unsigned long length,
			unsigned long memory, unsigned long *iova);
void iommufd_space_remove(struct iommufd_space *space,
			  struct iommufd_area *area);
void iommufd_space_remove_list(struct iommufd_space *space,
			       struct list_head *areas);
void iommufd_space_split(struct iommufd_space *space, struct iommufd_area *area,
			 struct iommufd_area *tail, unsigned long iova);

struct iommufd_area *iommufd_space_first(struct iommufd_space *space,
					 unsigned long iova,
					 unsigned long last);
struct iommufd_area *iommufd_area_next(struct iommufd_area *area,
				       unsigned long last);

#define iommufd_space_for_each(area, space, iova, last)          \
	for (area = iommufd_space_first(space, iova, last); area; \
	     area = iommufd_area_next(area, last))

int iommufd_space_reserve(struct iommufd_space *space, unsigned long start,
			  unsigned long last, void *owner, bool aperture);
void iommufd_space_unreserve(struct iommufd_space *space, void *owner);

/* ioas/reserve.c */
int iommufd_space_reserve_regions(struct iommufd_space *space,
				  struct list_head *regions, void *owner,
				  struct iommufd_msi_window *window);
int iommufd_space_reserve_outside(struct iommufd_space *space,
				  struct iommu_domain *domain, void *owner);
u32 iommufd_space_usable(struct iommufd_space *space,
			 struct iommu_iova_range *ranges, u32 room);

int iommufd_allowed_add(struct rb_root_cached *allowed, unsigned long start,
			unsigned long last);
void iommufd_allowed_free(struct rb_root_cached *allowed);
int iommufd_space_allow(struct iommufd_space *space,
			struct rb_root_cached *allowed);

#endif
