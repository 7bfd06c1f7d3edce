/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_HOLD_H
#define __IOMMUFD_IOAS_HOLD_H

#include "ioas/space.h"

struct iommufd_ioas;

/*
 * What is mapped can be used without any lock while it is held: an unmap tells
 * the drivers in the kernel and waits until the areas are let go.
 */

/**
 * struct iommufd_area_part - what a range has of an area
 * @area: the area, held or the space_lock taken
 * @iova: first address of both
 * @last: last address of both
 */
struct iommufd_area_part {
	struct iommufd_area *area;
	unsigned long iova;
	unsigned long last;
};

/* The byte of the area's pages that an address is mapped to. */
static inline unsigned long iommufd_area_offset(const struct iommufd_area *area,
						unsigned long iova)
{
	return area->offset + (iova - area->iova);
}

/* Indices into the area's pages of the first and the last page of a part. */
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
		      unsigned long last, int prot,
		      struct iommufd_area_part *first);
bool iommufd_ioas_hold_first(struct iommufd_ioas *ioas, unsigned long *iova,
			     unsigned long *last);
void iommufd_ioas_release(struct iommufd_ioas *ioas, unsigned long iova,
			  unsigned long last);

struct iommufd_area_part iommufd_ioas_first_part(struct iommufd_ioas *ioas,
						 unsigned long iova,
						 unsigned long last);
bool iommufd_ioas_next_part(struct iommufd_ioas *ioas,
			    struct iommufd_area_part *part, unsigned long last);

#endif
