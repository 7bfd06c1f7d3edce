// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables for devices without an IOMMU: they accept all mappings but
 * translate nothing. Such a device does DMA to physical addresses, which user
 * space can look up, see ioas/noiommu.c.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "domain/noiommu.h"

static int map_pages(struct iommu_domain *domain, unsigned long iova,
		     phys_addr_t phys, size_t pgsize, size_t pgcount, int prot,
		     gfp_t gfp, size_t *mapped)
{
	*mapped = pgsize * pgcount;
	return 0;
}

static size_t unmap_pages(struct iommu_domain *domain, unsigned long iova,
			  size_t pgsize, size_t pgcount,
			  struct iommu_iotlb_gather *gather)
{
	return pgsize * pgcount;
}

static void free_domain(struct iommu_domain *domain)
{
	kfree(domain);
}

static const struct iommu_domain_ops noiommu_domain_ops = {
	.map_pages = map_pages,
	.unmap_pages = unmap_pages,
	.free = free_domain,
};

/**
 * iommufd_noiommu_domain_alloc - allocate a domain that translates nothing
 *
 * The domain belongs to no IOMMU driver, so no device with an IOMMU can be
 * attached to it. The caller must free it with iommu_domain_free().
 *
 * Return: the domain or ERR_PTR(-ENOMEM).
 */
struct iommu_domain *iommufd_noiommu_domain_alloc(void)
{
	struct iommu_domain *domain = kzalloc_obj(*domain, GFP_KERNEL_ACCOUNT);

	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->type = IOMMU_DOMAIN_UNMANAGED;
	domain->ops = &noiommu_domain_ops;
	/* Memory is pinned in pages, so areas must consist of whole pages. */
	domain->pgsize_bitmap = PAGE_MASK;
	domain->geometry.aperture_end = ULONG_MAX;
	domain->geometry.force_aperture = true;
	return domain;
}

/**
 * iommufd_is_noiommu_domain - check whether a domain translates nothing
 * @domain: the domain
 *
 * Return: true if the domain is one of iommufd_noiommu_domain_alloc().
 */
bool iommufd_is_noiommu_domain(const struct iommu_domain *domain)
{
	return domain->ops == &noiommu_domain_ops;
}
