/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DOMAIN_HANDLE_H
#define __IOMMUFD_DOMAIN_HANDLE_H

#include <linux/iommu.h>

struct iommufd_domain;
struct iommufd_fault;
struct iommufd_hw_pagetable;
struct iommufd_msi;

/**
 * struct iommufd_attach_handle - an attachment as page faults and MSIs find it
 * @handle: registered with the IOMMU core while the group is attached
 * @hwpt: the page table
 * @domain: the domain that maps MSI doorbells: that of @hwpt, or of its second
 *	stage
 * @fault: queue for page faults, or NULL
 * @msi: MSI doorbells of the group
 * @dev_id: id of the device that was attached first, for which faults are
 *	reported: a group whose devices report faults has only one device
 * @msi_node: link in &iommufd_ctx.msi_handles
 */
struct iommufd_attach_handle {
	struct iommu_attach_handle handle;
	struct iommufd_hw_pagetable *hwpt;
	struct iommufd_domain *domain;
	struct iommufd_fault *fault;
	struct iommufd_msi *msi;
	u32 dev_id;
	struct list_head msi_node;
};

#endif
