/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DOMAIN_MSI_H
#define __IOMMUFD_DOMAIN_MSI_H

#include <linux/kconfig.h>

struct device;
struct iommufd_domain;

/*
 * With a driver core of our own, builtin/doorbell.c maps MSI doorbells. For an
 * external module the IOMMU core does, as for VFIO type1.
 */
#if IS_ENABLED(CONFIG_IRQ_MSI_IOMMU) && defined(CONFIG_IOMMUFD_EXTERNAL)
int iommufd_domain_init_msi(struct iommufd_domain *domain, struct device *dev);
int iommufd_domain_check_msi(const struct iommufd_domain *domain,
			     struct device *dev);
#else
static inline int iommufd_domain_init_msi(struct iommufd_domain *domain,
					  struct device *dev)
{
	return 0;
}

static inline int iommufd_domain_check_msi(const struct iommufd_domain *domain,
					   struct device *dev)
{
	return 0;
}
#endif

#endif
