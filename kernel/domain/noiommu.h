/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DOMAIN_NOIOMMU_H
#define __IOMMUFD_DOMAIN_NOIOMMU_H

#include <linux/err.h>

struct iommu_domain;

/*
 * A stand-in for the page table of devices without an IOMMU. The IOAS pins
 * pages as for any page table, but nothing is written.
 */
#ifdef CONFIG_IOMMUFD_NOIOMMU
struct iommu_domain *iommufd_noiommu_domain_alloc(void);
bool iommufd_is_noiommu_domain(const struct iommu_domain *domain);
#else
static inline struct iommu_domain *iommufd_noiommu_domain_alloc(void)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline bool iommufd_is_noiommu_domain(const struct iommu_domain *domain)
{
	return false;
}
#endif

#endif
