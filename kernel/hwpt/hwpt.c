// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all kinds of page tables have in common.
 */
#include <linux/iommu.h>

#include "device/device.h"
#include "fault/fault.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "iommu-priv.h"
#include "trace/fail.h"

/**
 * iommufd_hwpt_check_flags - whether an IOMMU can do what a page table is for
 * @idev: the device, which has an IOMMU
 * @flags: enum iommufd_hwpt_alloc_flags
 *
 * Drivers refuse what they know nothing of. What only some IOMMUs of theirs can
 * do they leave to be asked for.
 *
 * Returns 0 or -EOPNOTSUPP.
 */
int iommufd_hwpt_check_flags(const struct iommufd_device *idev, u32 flags)
{
	struct device *dev = idev->dev;

	if (((flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) &&
	     !device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING)) ||
	    ((flags & IOMMU_HWPT_ALLOC_PASID) &&
	     !dev->iommu->iommu_dev->max_pasids) ||
	    ((flags & IOMMU_HWPT_FAULT_ID_VALID) &&
	     !dev_iommu_ops(dev)->page_response))
		return iommufd_fail_driver(-EOPNOTSUPP);
	return 0;
}

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
 * @hwpt: the page table, complete but for that, about to be published
 * @ctx: its context
 * @fault: the queue, looked up by the caller; the page table comes to depend on
 *	it
 */
void iommufd_hwpt_report_faults(struct iommufd_hw_pagetable *hwpt,
				struct iommufd_ctx *ctx,
				struct iommufd_fault *fault)
{
	iommufd_object_keep(ctx, iommufd_fault_object(fault), 1);
	hwpt->fault = fault;
	hwpt->domain->iopf_handler = iommufd_fault_report;
}

/* What a page table keeps for as long as it lives. */
static struct iommufd_object *depends_on(struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_hwpt_nested *nested;

	if (hwpt->obj.type == IOMMUFD_OBJ_HWPT_PAGING)
		return &to_hwpt_paging(&hwpt->obj)->ioas->obj;
	nested = to_hwpt_nested(&hwpt->obj);
	return nested->viommu ? &nested->viommu->obj : &nested->parent->obj;
}

/**
 * iommufd_hwpt_publish - make a page table visible
 * @ctx: its context
 * @hwpt: the page table; from now on it depends on what it was made on, which a
 *	lookup of the caller has kept
 */
void iommufd_hwpt_publish(struct iommufd_ctx *ctx,
			  struct iommufd_hw_pagetable *hwpt)
{
	iommufd_object_keep(ctx, depends_on(hwpt), 1);
	iommufd_object_publish(ctx, &hwpt->obj);
}

/**
 * iommufd_hwpt_release - give back what all kinds of page tables hold
 * @hwpt: the page table, no longer published, to which no device is attached
 */
void iommufd_hwpt_release(struct iommufd_hw_pagetable *hwpt)
{
	iommu_domain_free(hwpt->domain);
	if (hwpt->fault)
		iommufd_object_drop(iommufd_fault_object(hwpt->fault));
	iommufd_object_drop(depends_on(hwpt));
}

/**
 * iommufd_hwpt_drop_later - drop a page table while locks are held
 * @ctx: its context
 * @hwpt: the page table, on which a device no longer depends
 * @ended: gets it, if it is gone, for iommufd_hwpts_end()
 */
void iommufd_hwpt_drop_later(struct iommufd_ctx *ctx,
			     struct iommufd_hw_pagetable *hwpt,
			     struct list_head *ended)
{
	struct iommufd_hwpt_paging *paging;

	if (hwpt->obj.type == IOMMUFD_OBJ_HWPT_PAGING) {
		paging = to_hwpt_paging(&hwpt->obj);
		if (paging->automatic) {
			if (iommufd_object_drop_last(ctx, &hwpt->obj))
				list_add_tail(&paging->ended, ended);
			return;
		}
	}
	iommufd_object_drop(&hwpt->obj);
}

/**
 * iommufd_hwpts_end - end page tables that are gone
 * @ctx: their context
 * @ended: struct iommufd_hwpt_paging by their ended, empty afterwards
 *
 * Context: may sleep; policies are told: no lock of iommufd is held.
 */
void iommufd_hwpts_end(struct iommufd_ctx *ctx, struct list_head *ended)
{
	struct iommufd_hwpt_paging *each, *next;

	list_for_each_entry_safe(each, next, ended, ended)
		iommufd_object_finish(ctx, &each->common.obj, false);
	INIT_LIST_HEAD(ended);
}

/**
 * iommufd_hwpt_drop - a device no longer depends on a page table
 * @ctx: its context
 * @hwpt: the page table, which may be gone after this
 *
 * Context: as iommufd_hwpts_end().
 */
void iommufd_hwpt_drop(struct iommufd_ctx *ctx,
		       struct iommufd_hw_pagetable *hwpt)
{
	LIST_HEAD(ended);

	iommufd_hwpt_drop_later(ctx, hwpt, &ended);
	iommufd_hwpts_end(ctx, &ended);
}
