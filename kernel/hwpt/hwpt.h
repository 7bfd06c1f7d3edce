/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_HWPT_HWPT_H
#define __IOMMUFD_HWPT_HWPT_H

#include <linux/iommu.h>

#include "core/ctx.h"
#include "core/object.h"
#include "domain/domain.h"

struct iommufd_device;
struct iommufd_fault;
struct iommufd_ioas;
struct iommufd_seen;
struct iommufd_ucmd;
struct iommufd_viommu;

/**
 * struct iommufd_hw_pagetable - the common part of all kinds of page tables
 * @obj: the object
 * @domain: the domain of the IOMMU driver, of which this is the cookie
 * @fault: queue for its page faults, which it depends on, or NULL
 * @pasid_compatible: devices attached to it may also attach PASIDs
 * @invalidations: number of invalidation requests that reached the driver
 * @seen: policies to call when it is freed, or NULL
 */
struct iommufd_hw_pagetable {
	struct iommufd_object obj;
	struct iommu_domain *domain;
	struct iommufd_fault *fault;
	bool pasid_compatible;
	atomic64_t invalidations;
	struct iommufd_seen *seen;
};

/**
 * struct iommufd_hwpt_paging - a page table that mirrors an IOAS
 * @obj: the object
 * @common: object and domain
 * @ioas: the IOAS, which it depends on
 * @mirror: the domain, as the IOAS writes it
 * @ended: link for callers that have removed it from the object table and
 *	destroy it later
 * @automatic: allocated for an attach to the IOAS; freed with the last device
 * @nest_parent: can be the second stage of others
 */
struct iommufd_hwpt_paging {
	union {
		struct iommufd_object obj;
		struct iommufd_hw_pagetable common;
	};
	struct iommufd_ioas *ioas;
	struct iommufd_domain mirror;
	struct list_head ended;
	bool automatic;
	bool nest_parent;
};

/**
 * struct iommufd_hwpt_nested - a first stage that user space manages
 * @obj: the object
 * @common: object and domain
 * @parent: the second stage; this depends on it if @viommu is NULL
 * @viommu: the vIOMMU that it was allocated from and depends on, or NULL
 */
struct iommufd_hwpt_nested {
	union {
		struct iommufd_object obj;
		struct iommufd_hw_pagetable common;
	};
	struct iommufd_hwpt_paging *parent;
	struct iommufd_viommu *viommu;
};

static inline struct iommufd_hw_pagetable *to_hwpt(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hw_pagetable, obj);
}

static inline struct iommufd_hwpt_nested *
to_hwpt_nested(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hwpt_nested, obj);
}

static inline struct iommufd_hwpt_paging *
to_hwpt_paging(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hwpt_paging, obj);
}

/**
 * iommufd_hwpt_paging_of - get the page table that mirrors an IOAS
 * @hwpt: a page table of any kind
 *
 * Return: the page table itself, or the second stage of a nested one.
 */
static inline struct iommufd_hwpt_paging *
iommufd_hwpt_paging_of(struct iommufd_hw_pagetable *hwpt)
{
	if (hwpt->obj.type == IOMMUFD_OBJ_HWPT_NESTED)
		return to_hwpt_nested(&hwpt->obj)->parent;
	return to_hwpt_paging(&hwpt->obj);
}

/* hwpt/hwpt.c */
int iommufd_hwpt_check_flags(const struct iommufd_device *idev, u32 flags);
void iommufd_hwpt_init(struct iommufd_hw_pagetable *hwpt,
		       struct iommu_domain *domain, u32 flags);
void iommufd_hwpt_report_faults(struct iommufd_hw_pagetable *hwpt,
				struct iommufd_ctx *ctx,
				struct iommufd_fault *fault);
void iommufd_hwpt_publish(struct iommufd_ctx *ctx,
			  struct iommufd_hw_pagetable *hwpt);
void iommufd_hwpt_release(struct iommufd_hw_pagetable *hwpt);
void iommufd_hwpt_undepend(struct iommufd_ctx *ctx,
			   struct iommufd_hw_pagetable *hwpt);
void iommufd_hwpt_undepend_later(struct iommufd_ctx *ctx,
				 struct iommufd_hw_pagetable *hwpt,
				 struct list_head *ended);
void iommufd_hwpts_end(struct iommufd_ctx *ctx, struct list_head *ended);

/* hwpt/alloc.c */
int iommufd_cmd_hwpt_alloc(struct iommufd_ucmd *ucmd);

/* hwpt/dirty.c */
int iommufd_cmd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd);
int iommufd_cmd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd);

/* hwpt/invalidate.c */
int iommufd_cmd_hwpt_invalidate(struct iommufd_ucmd *ucmd);

#endif
