/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_HWPT_HWPT_H
#define __IOMMUFD_HWPT_HWPT_H

#include <linux/iommu.h>

#include "core/object.h"

struct iommufd_area;
struct iommufd_device;
struct iommufd_ioas;

/**
 * struct iommufd_hw_pagetable - what all kinds of page tables have in common
 * @obj: the object
 * @domain: the page table of the IOMMU driver, of which this is the cookie
 */
struct iommufd_hw_pagetable {
	struct iommufd_object obj;
	struct iommu_domain *domain;
};

/**
 * struct iommufd_hwpt_paging - a page table that follows an IOAS
 * @obj: the object
 * @common: object and domain
 * @ioas: the IOAS, which it depends on
 * @node: link in &iommufd_ioas.hwpts
 * @automatic: made for an attach to the IOAS, gone with the last device
 * @coherent: DMA can't bypass the CPU caches; once set it stays
 */
struct iommufd_hwpt_paging {
	union {
		struct iommufd_object obj;
		struct iommufd_hw_pagetable common;
	};
	struct iommufd_ioas *ioas;
	struct list_head node;
	bool automatic;
	bool coherent;
};

static inline struct iommufd_hwpt_paging *
to_hwpt_paging(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hwpt_paging, obj);
}

/* hwpt/paging.c */
struct iommufd_hwpt_paging *
iommufd_hwpt_paging_alloc(struct iommufd_ioas *ioas,
			  struct iommufd_device *idev);
int iommufd_hwpt_paging_link(struct iommufd_hwpt_paging *hwpt);
void iommufd_hwpt_paging_abort(struct iommufd_hwpt_paging *hwpt);
bool iommufd_hwpt_paging_suits(struct iommufd_hwpt_paging *hwpt,
			       struct iommufd_device *idev);
void iommufd_hwpt_paging_drop(struct iommufd_hwpt_paging *hwpt);

/* hwpt/map.c */
int iommufd_hwpt_map_area(struct iommufd_hwpt_paging *hwpt,
			  struct iommufd_area *area, u64 *runs);
void iommufd_hwpt_unmap_area(struct iommufd_hwpt_paging *hwpt,
			     struct iommufd_area *area,
			     struct iommu_iotlb_gather *gather);

#endif
