/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_HOLD_H
#define __IOMMUFD_IOAS_HOLD_H

#include "ioas/space.h"

struct iommufd_ioas;

/*
 * A held range can be used without any lock: an unmap waits until all holds on
 * its areas are released. A hold lasts no longer than a call.
 */

/**
 * struct iommufd_hold - a range that is in use by a call
 * @node: link in &iommufd_ioas.holds
 * @iova: first address
 * @last: last address; areas cover the range without a hole
 *
 * Protected by the space_lock. If a held area is split, the hold covers those
 * parts that overlap the range.
 */
struct iommufd_hold {
	struct list_head node;
	unsigned long iova;
	unsigned long last;
};

/**
 * struct iommufd_area_part - the part of an area that is in a range
 * @area: the area. It is held, or the caller holds the space_lock
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

int iommufd_ioas_hold(struct iommufd_ioas *ioas, unsigned long iova,
		      unsigned long last, int prot, struct iommufd_hold *hold,
		      struct iommufd_area_part *first);
bool iommufd_ioas_hold_first(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last, struct iommufd_hold *hold);
int iommufd_ioas_hold_unpinned(struct iommufd_ioas *ioas, unsigned long iova,
			       struct iommufd_hold *hold,
			       struct iommufd_area **area);
void iommufd_ioas_release(struct iommufd_ioas *ioas, struct iommufd_hold *hold);
void iommufd_ioas_split_holds(struct iommufd_ioas *ioas,
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
