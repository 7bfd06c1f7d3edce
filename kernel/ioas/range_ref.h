/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_RANGE_REF_H
#define __IOMMUFD_IOAS_RANGE_REF_H

#include "ioas/iova_map.h"

struct iommufd_ioas;

/*
 * A range can be used without any lock while there is a reference to it: an
 * unmap waits until all references to its areas are put. A reference lasts no
 * longer than a call.
 */

/**
 * struct iommufd_range_ref - a reference to the areas in a range
 * @node: link in &iommufd_ioas.range_refs
 * @iova: first address
 * @last: last address; areas cover the range without a hole
 *
 * Protected by the iova_lock. If an area is split, the reference is to those
 * parts that overlap the range.
 */
struct iommufd_range_ref {
	struct list_head node;
	unsigned long iova;
	unsigned long last;
};

/**
 * struct iommufd_area_part - the part of an area that is in a range
 * @area: the area. The caller has a reference to it, or holds the iova_lock
 * @iova: first address of the part
 * @last: last address of the part
 */
struct iommufd_area_part {
	struct iommufd_area *area;
	unsigned long iova;
	unsigned long last;
};

/* Offset in the area's pages of the byte that an address is mapped to. */
static inline unsigned long iommufd_area_offset(const struct iommufd_area *area,
						unsigned long iova)
{
	return area->offset + (iova - area->iova);
}

/* Indices of the first and the last page of a part in the area's pages. */
static inline unsigned long
iommufd_part_first(const struct iommufd_area_part *part)
{
	return iommufd_area_offset(part->area, part->iova) >> PAGE_SHIFT;
}

static inline unsigned long
iommufd_part_last(const struct iommufd_area_part *part)
{
	return iommufd_area_offset(part->area, part->last) >> PAGE_SHIFT;
}

static inline unsigned long
iommufd_part_npages(const struct iommufd_area_part *part)
{
	return iommufd_part_last(part) - iommufd_part_first(part) + 1;
}

int iommufd_ioas_get_range(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long last, int prot,
			   struct iommufd_range_ref *ref,
			   struct iommufd_area_part *first);
bool iommufd_ioas_get_piece(struct iommufd_ioas *ioas, unsigned long iova,
			    unsigned long last, struct iommufd_range_ref *ref);
int iommufd_ioas_get_unpinned(struct iommufd_ioas *ioas, unsigned long iova,
			      struct iommufd_range_ref *ref,
			      struct iommufd_area **area);
void iommufd_ioas_put_range(struct iommufd_ioas *ioas,
			    struct iommufd_range_ref *ref);
void iommufd_ioas_split_refs(struct iommufd_ioas *ioas,
			     struct iommufd_area *area,
			     struct iommufd_area *tail);

int iommufd_ioas_get_pins(struct iommufd_ioas *ioas, unsigned long iova,
			  unsigned long last, int prot,
			  struct iommufd_area_part *first);
void iommufd_ioas_put_pins(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long last);

struct iommufd_area_part iommufd_ioas_first_part(struct iommufd_ioas *ioas,
						 unsigned long iova,
						 unsigned long last);
bool iommufd_ioas_next_part(struct iommufd_ioas *ioas,
			    struct iommufd_area_part *part, unsigned long last);

#endif
