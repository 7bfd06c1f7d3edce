// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all kinds of page tables have in common.
 */
#include <linux/iommu.h>

#include "fault/fault.h"
#include "hwpt/hwpt.h"

/**
 * iommufd_hwpt_init - the domain of a page table is there
 * @hwpt: the page table
 * @domain: made by the IOMMU driver, owned by the page table from now on
 * @flags: enum iommufd_hwpt_alloc_flags that it was made with
 */
void iommufd_hwpt_init(struct iommufd_hw_pagetable *hwpt,
		       struct iommu_domain *domain, u32 flags)
{
	domain->iommufd_hwpt = hwpt;
	domain->cookie_type = IOMMU_COOKIE_IOMMUFD;
	hwpt->domain = domain;
	hwpt->pasid_compatible = flags & IOMMU_HWPT_ALLOC_PASID;
}

/**
 * iommufd_hwpt_report_faults - report page faults to a queue
 * @hwpt: the page table, to which no device is attached yet
 * @fault: the queue, held by the caller for the page table
 */
void iommufd_hwpt_report_faults(struct iommufd_hw_pagetable *hwpt,
				struct iommufd_fault *fault)
{
	hwpt->fault = fault;
	hwpt->domain->iopf_handler = iommufd_fault_report;
}

/**
 * iommufd_hwpt_release - give back what all kinds of page tables hold
 * @hwpt: the page table, to which no device is attached any more
 */
void iommufd_hwpt_release(struct iommufd_hw_pagetable *hwpt)
{
	iommu_domain_free(hwpt->domain);
	if (hwpt->fault)
		iommufd_object_drop(iommufd_fault_object(hwpt->fault));
}

/**
 * iommufd_hwpt_drop - a device no longer depends on a page table
 * @ctx: its context
 * @hwpt: the page table, which may be gone after this
 */
void iommufd_hwpt_drop(struct iommufd_ctx *ctx,
		       struct iommufd_hw_pagetable *hwpt)
{
	if (hwpt->obj.type == IOMMUFD_OBJ_HWPT_PAGING &&
	    to_hwpt_paging(&hwpt->obj)->automatic)
		iommufd_object_drop_auto(ctx, &hwpt->obj);
	else
		iommufd_object_drop(&hwpt->obj);
}
