/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_IOVA_MAP_H
#define __IOMMUFD_IOAS_IOVA_MAP_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>

#include "domain/area.h"

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
 * struct iommufd_iova_map - the used and the usable I/O virtual addresses
 * @areas: areas, which don't overlap
 * @recent: the area that was inserted last, or the one after the area that was
 *	removed last, or NULL. Requests are often next to the one before, and
 *	then need no search of @areas
 * @reserved: struct iommufd_reserved
 * @allowed: struct iommufd_allowed; if there are any, addresses are chosen only
 *	from them
 * @alignment: required alignment of every area: a power of two, at most
 *	PAGE_SIZE
 *
 * This is a plain data structure: the caller provides locking.
 */
struct iommufd_iova_map {
	struct rb_root areas;
	struct iommufd_area *recent;
	struct rb_root_cached reserved;
	struct rb_root_cached allowed;
	unsigned long alignment;
};

void iommufd_iova_map_init(struct iommufd_iova_map *map);

int iommufd_iova_map_insert(struct iommufd_iova_map *map,
			    struct iommufd_area *area, unsigned long iova,
			    unsigned long length);
int iommufd_iova_map_find(struct iommufd_iova_map *map, unsigned long length,
			  unsigned long align, unsigned long phase,
			  unsigned long *iova);
int iommufd_iova_map_place(struct iommufd_iova_map *map, unsigned long length,
			   unsigned long memory, unsigned long *iova);
void iommufd_iova_map_remove(struct iommufd_iova_map *map,
			     struct iommufd_area *area);
void iommufd_iova_map_remove_list(struct iommufd_iova_map *map,
				  struct list_head *areas);
void iommufd_iova_map_split(struct iommufd_iova_map *map,
			    struct iommufd_area *area,
			    struct iommufd_area *tail, unsigned long iova);

struct iommufd_area *iommufd_iova_map_first(struct iommufd_iova_map *map,
					    unsigned long iova,
					    unsigned long last);
struct iommufd_area *iommufd_area_next(struct iommufd_area *area,
				       unsigned long last);
struct iommufd_area *iommufd_iova_map_last(struct iommufd_iova_map *map,
					   unsigned long iova);

#define iommufd_iova_map_for_each(area, map, iova, last_iova)           \
	for (area = iommufd_iova_map_first(map, iova, last_iova); area; \
	     area = area->last < (last_iova) ?                          \
			    iommufd_area_next(area, last_iova) :        \
			    NULL)

int iommufd_iova_map_reserve(struct iommufd_iova_map *map, unsigned long start,
			     unsigned long last, void *owner, bool aperture);
void iommufd_iova_map_unreserve(struct iommufd_iova_map *map, void *owner);

int iommufd_allowed_add(struct rb_root_cached *allowed, unsigned long start,
			unsigned long last);
void iommufd_allowed_free(struct rb_root_cached *allowed);
int iommufd_iova_map_allow(struct iommufd_iova_map *map,
			   struct rb_root_cached *allowed);

#endif
