// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI doorbells in the domains of an external module, for IOMMUs that translate
 * writes to them, such as the Arm SMMU. The IOMMU core maps the doorbell of an
 * interrupt when the interrupt is set up, into the domain to which its device is
 * attached at that time. It does not map it into other domains later.
 */
#include <linux/iommu.h>
#include <linux/pci.h>

#include "domain/domain.h"
#include "domain/msi.h"
#include "trace/fail.h"

static struct iommufd_msi_window window_of(struct device *dev)
{
	struct iommufd_msi_window window = {};
	struct iommu_resv_region *region;
	LIST_HEAD(regions);

	iommu_get_resv_regions(dev, &regions);
	list_for_each_entry(region, &regions, list) {
		if (region->type != IOMMU_RESV_SW_MSI)
			continue;
		window.start = region->start;
		window.length = region->length;
	}
	iommu_put_resv_regions(dev, &regions);
	return window;
}

/**
 * iommufd_domain_init_msi - have the IOMMU core map doorbells into a domain
 * @domain: the domain, new
 * @dev: the device that it was allocated for
 *
 * Does nothing if the IOMMU of the device does not translate doorbells.
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_domain_init_msi(struct iommufd_domain *domain, struct device *dev)
{
	domain->msi_window = window_of(dev);
	if (!domain->msi_window.length)
		return 0;
	return iommu_get_msi_cookie(domain->iommu, domain->msi_window.start);
}

static bool has_interrupts(struct device *dev)
{
	return dev_is_pci(dev) && (to_pci_dev(dev)->msi_enabled ||
				   to_pci_dev(dev)->msix_enabled);
}

/**
 * iommufd_domain_check_msi - check that interrupts reach their doorbells
 * @domain: the domain
 * @dev: the device that is going to be attached to it
 *
 * Return: 0, -EINVAL if the domain has no doorbells where the IOMMU of the
 * device wants them, or -EOPNOTSUPP if interrupts were set up with another
 * domain.
 */
int iommufd_domain_check_msi(const struct iommufd_domain *domain,
			     struct device *dev)
{
	struct iommufd_msi_window window = window_of(dev);

	if (!window.length)
		return 0;
	if (!domain->msi_window.length ||
	    domain->msi_window.start != window.start)
		return -EINVAL;
	if (has_interrupts(dev))
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_EXTERNAL_MODULE,
				    0, 0);
	return 0;
}
