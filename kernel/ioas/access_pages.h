/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_ACCESS_PAGES_H
#define __IOMMUFD_IOAS_ACCESS_PAGES_H

#include <linux/types.h>

struct iommufd_access;
struct iommufd_ioas;
struct iommufd_unmap_stats;
struct list_head;
struct page;

int iommufd_ioas_add_access(struct iommufd_ioas *ioas,
			    struct iommufd_access *access);
void iommufd_ioas_remove_access(struct iommufd_ioas *ioas,
				struct iommufd_access *access);
int iommufd_ioas_pin(struct iommufd_ioas *ioas, unsigned long iova,
		     unsigned long last, int prot, struct page **out_pages);
void iommufd_ioas_unpin(struct iommufd_ioas *ioas, unsigned long iova,
			unsigned long last);
int iommufd_ioas_rw(struct iommufd_ioas *ioas, unsigned long iova, void *data,
		    size_t length, unsigned int flags);
int iommufd_ioas_evict(struct iommufd_ioas *ioas, struct list_head *areas,
		       struct iommufd_unmap_stats *stats);

#endif
