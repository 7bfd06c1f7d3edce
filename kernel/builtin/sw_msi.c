// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOMMU core calls this when an interrupt of a device is set up and the
 * IOMMU translates writes to MSI doorbells.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/msi.h>

#include "builtin/doorbell.h"
#include "domain/handle.h"
#include "iommu-priv.h"

/**
 * iommufd_sw_msi - map an MSI doorbell
 * @domain: a page table of iommufd, to which the device is attached
 * @desc: the interrupt; its MSI address is set
 * @msi_addr: physical address of the doorbell
 *
 * Context: Process context. May sleep. The caller must hold the mutex of the
 * IOMMU group.
 *
 * Return: 0, even if the IOMMU does not translate doorbells, -EOVERFLOW if
 * there are more doorbells than pages in the window, -ENOMEM, or the errno of
 * the IOMMU driver.
 */
int iommufd_sw_msi(struct iommu_domain *domain, struct msi_desc *desc,
		   phys_addr_t msi_addr)
{
	struct device *dev = msi_desc_to_dev(desc);
	struct iommufd_attach_handle *handle;
	struct iommu_attach_handle *attached;
	unsigned long iova;
	int ret;

	attached = iommu_attach_handle_get(dev->iommu_group, IOMMU_NO_PASID, 0);
	if (IS_ERR(attached))
		return 0;
	handle = container_of(attached, struct iommufd_attach_handle, handle);
	if (!handle->msi->window.length)
		return 0;
	ret = iommufd_doorbell_map(handle->msi, msi_addr, &iova);
	if (!ret)
		msi_desc_set_iommu_msi_iova(desc, iova, PAGE_SHIFT);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(iommufd_sw_msi, "IOMMUFD");
