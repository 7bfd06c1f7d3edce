/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_HWPT_NOIOMMU_H
#define __IOMMUFD_HWPT_NOIOMMU_H

#include <linux/err.h>

struct iommu_domain;

/*
 * What stands for a page table where no IOMMU is in front of a device. The IOAS
 * pins for it what it pins for page tables, and nothing is written.
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
