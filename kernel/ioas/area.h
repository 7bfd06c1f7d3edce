/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_AREA_H
#define __IOMMUFD_IOAS_AREA_H

#include <linux/types.h>

struct iommufd_area;
struct iommufd_ioas;
struct iommufd_pages;
struct list_head;

struct iommufd_area *iommufd_area_alloc(struct iommufd_pages *pages,
					unsigned long offset,
					unsigned long length, u32 flags);
void iommufd_area_free(struct iommufd_area *area);
void iommufd_areas_free(struct list_head *areas);
int iommufd_area_pin(struct iommufd_ioas *ioas, struct iommufd_area *area,
		     unsigned long *pinned);
unsigned long iommufd_area_unpin(struct iommufd_ioas *ioas,
				 struct iommufd_area *area);

#endif
