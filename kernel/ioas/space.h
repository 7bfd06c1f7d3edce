/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_SPACE_H
#define __IOMMUFD_IOAS_SPACE_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>

#include "domain/area.h"

struct iommu_domain;
struct iommu_iova_range;
struct iommufd_msi_window;

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
