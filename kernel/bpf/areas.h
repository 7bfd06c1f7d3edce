/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_AREAS_H
#define __IOMMUFD_BPF_AREAS_H

#include <linux/types.h>

struct iommufd_area_info;
struct iommufd_ioas;
struct iommufd_pages;

/**
 * struct iommufd_area_pages - the pages of an area
 * @pages: the pages, which are memory, with a reference
 * @first: index of the first page
 * @npages: number of pages
 * @iova: first address
 * @last: last address
 * @pinned: page tables map the area
 */
struct iommufd_area_pages {
	struct iommufd_pages *pages;
	unsigned long first;
	unsigned long npages;
	unsigned long iova;
	unsigned long last;
	bool pinned;
};

struct iommufd_ioas *iommufd_ioas_find(u32 number, u32 id);
void iommufd_ioas_leave(struct iommufd_ioas *ioas);

bool iommufd_area_info_at(u32 ctx, u32 ioas, u64 iova,
			  struct iommufd_area_info *info);
int iommufd_ioas_next_pages(struct iommufd_ioas *ioas, unsigned long iova,
			    struct iommufd_area_pages *found);
bool iommufd_area_info_from(u32 ctx, u32 ioas, u64 iova,
			    struct iommufd_area_info *info);

#endif
