/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DOMAIN_DOMAIN_H
#define __IOMMUFD_DOMAIN_DOMAIN_H

#include <linux/iommu.h>

#include "core/ctx.h"

struct iommufd_area;

/**
 * struct iommufd_domain - a domain that mirrors an IOAS
 * @iommu: the domain of the IOMMU driver
 * @node: link in &iommufd_ioas.domains
 * @max_page: no entry may be larger than this number of bytes, which is a power
 *	of two, or ULONG_MAX for no limit; set before it is published
 * @largest: the largest size of an entry: limits apply down to the smallest
 *	page. Protected as &iommufd_ioas.large_pages
 * @coherent: DMA can't bypass the CPU caches; set before it is published
 * @msi_window: where the IOMMU core maps MSI doorbells, see domain/msi.c; set
 *	before it is published
 * @doorbells: MSI doorbells that are mapped, by &doorbell.index. Protected by
 *	the doorbells_lock of the context
 */
struct iommufd_domain {
	struct iommu_domain *iommu;
	struct list_head node;
	unsigned long max_page;
	unsigned long largest;
	bool coherent;
	struct iommufd_msi_window msi_window;
	DECLARE_BITMAP(doorbells, IOMMUFD_DOORBELLS);
};

/* Addresses and lengths of mappings must be multiples of this. */
static inline unsigned long
iommufd_domain_smallest_page(const struct iommufd_domain *domain)
{
	return 1UL << __ffs(domain->iommu->pgsize_bitmap);
}

/* domain/map.c */
void iommufd_domain_limit_page(struct iommufd_domain *domain, u32 max_shift);
u32 iommufd_domain_page_limit(const struct iommufd_domain *domain);
void iommufd_domain_set_large_pages(struct iommufd_domain *domain, bool enable);
int iommufd_domain_map_run(struct iommufd_domain *domain, unsigned long iova,
			   phys_addr_t phys, size_t length, int prot);
int iommufd_domain_map_area(struct iommufd_domain *domain,
			    struct iommufd_area *area, u64 *runs);
void iommufd_domain_unmap_area(struct iommufd_domain *domain,
			       struct iommufd_area *area,
			       struct iommu_iotlb_gather *gather);
void iommufd_domain_clear_area(struct iommufd_domain *domain,
			       struct iommufd_area *area);

#endif
