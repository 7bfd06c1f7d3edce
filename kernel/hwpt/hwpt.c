// SPDX-License-Identifier: GPL-2.0-only
/*
 * The common part of all kinds of page tables.
 */
#include <linux/iommu.h>

#include "core/driver_core.h"
#include "device/device.h"
#include "eventq/fault.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "iommu-priv.h"
#include "trace/fail.h"

/**
 * iommufd_hwpt_check_flags - check that the IOMMU supports the requested flags
 * @idev: the device, which has an IOMMU
 * @flags: enum iommufd_hwpt_alloc_flags
 *
 * IOMMU drivers reject flags that they don't know, but do not check features
 * that only some of their IOMMUs have. This does.
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int iommufd_hwpt_check_flags(const struct iommufd_device *idev, u32 flags)
{
	struct device *dev = idev->dev;

	if (((flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) &&
	     !iommufd_tracks_dirty(dev)) ||
	    ((flags & IOMMU_HWPT_ALLOC_PASID) &&
	     !dev->iommu->iommu_dev->max_pasids) ||
	    ((flags & IOMMU_HWPT_FAULT_ID_VALID) &&
	     !dev_iommu_ops(dev)->page_response))
		return iommufd_fail_driver(-EOPNOTSUPP);
	return 0;
}

/**
 * iommufd_hwpt_init - initialise a page table with its domain
 * @hwpt: the page table
 * @domain: allocated by the IOMMU driver; the page table takes ownership
 * @flags: enum iommufd_hwpt_alloc_flags that it was allocated with
 */
void iommufd_hwpt_init(struct iommufd_hw_pagetable *hwpt,
		       struct iommu_domain *domain, u32 flags)
{
	/* It may belong to domain/msi.c. */
	if (domain->cookie_type == IOMMU_COOKIE_NONE) {
		domain->iommufd_hwpt = hwpt;
		domain->cookie_type = IOMMU_COOKIE_IOMMUFD;
	}
	hwpt->domain = domain;
	hwpt->pasid_compatible = flags & IOMMU_HWPT_ALLOC_PASID;
}

/**
 * iommufd_hwpt_report_faults - report page faults to a queue
 * @hwpt: the page table, otherwise complete and about to be published
 * @ctx: its context
 * @fault: the queue, looked up by the caller; the page table depends on it from
 *	now on
 */
void iommufd_hwpt_report_faults(struct iommufd_hw_pagetable *hwpt,
				struct iommufd_ctx *ctx,
				struct iommufd_fault *fault)
{
	iommufd_object_depend(ctx, iommufd_fault_object(fault), 1);
	hwpt->fault = fault;
	hwpt->domain->iopf_handler = iommufd_fault_report;
}

/* The object that a page table depends on during its whole life. */
static struct iommufd_object *depends_on(struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_hwpt_nested *nested;

	if (hwpt->obj.type == IOMMUFD_OBJ_HWPT_PAGING)
		return &to_hwpt_paging(&hwpt->obj)->ioas->obj;
	nested = to_hwpt_nested(&hwpt->obj);
	return nested->viommu ? &nested->viommu->obj : &nested->parent->obj;
}

/**
 * iommufd_hwpt_publish - publish a page table
 * @ctx: its context
 * @hwpt: the page table
 *
 * From now on, the page table depends on the object it was allocated from, on
 * which the caller holds a reference from a lookup.
 */
void iommufd_hwpt_publish(struct iommufd_ctx *ctx,
			  struct iommufd_hw_pagetable *hwpt)
{
	iommufd_object_depend(ctx, depends_on(hwpt), 1);
	iommufd_object_publish(ctx, &hwpt->obj);
}

/**
 * iommufd_hwpt_release - release the common resources of a page table
 * @hwpt: the page table, no longer published, to which no device is attached
 */
void iommufd_hwpt_release(struct iommufd_hw_pagetable *hwpt)
{
	iommu_domain_free(hwpt->domain);
	if (hwpt->fault)
		iommufd_object_undepend(iommufd_fault_object(hwpt->fault));
	iommufd_object_undepend(depends_on(hwpt));
}

/**
 * iommufd_hwpt_undepend_later - undepend a device from a page table under locks
 * @ctx: its context
 * @hwpt: the page table, on which a device no longer depends
 * @ended: if this was the last user of an automatic page table, it is added
 *	here for iommufd_hwpts_end()
 */
void iommufd_hwpt_undepend_later(struct iommufd_ctx *ctx,
				 struct iommufd_hw_pagetable *hwpt,
				 struct list_head *ended)
{
	struct iommufd_hwpt_paging *paging;

	if (hwpt->obj.type == IOMMUFD_OBJ_HWPT_PAGING) {
		paging = to_hwpt_paging(&hwpt->obj);
		if (paging->automatic) {
			if (iommufd_object_undepend_last(ctx, &hwpt->obj))
				list_add_tail(&paging->ended, ended);
			return;
		}
	}
	iommufd_object_undepend(&hwpt->obj);
}

/**
 * iommufd_hwpts_end - destroy the page tables of iommufd_hwpt_undepend_later()
 * @ctx: their context
 * @ended: struct iommufd_hwpt_paging by their ended, empty afterwards
 *
 * Context: May sleep. Policies are called, so the caller must not hold any lock
 * of iommufd.
 */
void iommufd_hwpts_end(struct iommufd_ctx *ctx, struct list_head *ended)
{
	struct iommufd_hwpt_paging *each, *next;

	list_for_each_entry_safe(each, next, ended, ended)
		iommufd_object_finish(ctx, &each->common.obj);
	INIT_LIST_HEAD(ended);
}

/**
 * iommufd_hwpt_undepend - undepend a device from a page table
 * @ctx: its context
 * @hwpt: the page table, which may be gone afterwards
 *
 * Context: May sleep. Policies are called, so the caller must not hold any lock
 * of iommufd.
 */
void iommufd_hwpt_undepend(struct iommufd_ctx *ctx,
			   struct iommufd_hw_pagetable *hwpt)
{
	LIST_HEAD(ended);

	iommufd_hwpt_undepend_later(ctx, hwpt, &ended);
	iommufd_hwpts_end(ctx, &ended);
}
