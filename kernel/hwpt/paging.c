// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation and destruction of page tables that mirror an IOAS.
 */
#include <linux/iommu.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "core/driver_core.h"
#include "device/device.h"
#include "domain/msi.h"
#include "domain/noiommu.h"
#include "hwpt/hwpt.h"
#include "hwpt/paging.h"
#include "ioas/domains.h"
#include "ioas/ioas.h"
#include "iommu-priv.h"
#include "trace/device_events.h"
#include "trace/fail.h"

static void unlink(struct iommufd_hwpt_paging *hwpt)
{
	if (!list_empty(&hwpt->mirror.node))
		iommufd_ioas_remove_domain(hwpt->ioas, &hwpt->mirror);
}

static void trace_free(struct iommufd_ctx *ctx,
		       const struct iommufd_hwpt_paging *hwpt, u64 start_ns)
{
	trace_iommufd_hwpt_free(ctx->number, hwpt->obj.id, hwpt->obj.type,
				hwpt->automatic, iommufd_trace_ns(start_ns));
}

static void hwpt_paging_destroy(struct iommufd_object *obj)
{
	u64 start_ns = iommufd_trace_start(iommufd_hwpt_free);
	struct iommufd_hwpt_paging *hwpt = to_hwpt_paging(obj);
	struct iommufd_ctx *ctx = hwpt->ioas->ctx;

	unlink(hwpt);
	iommufd_hwpt_release(&hwpt->common);
	trace_free(ctx, hwpt, start_ns);
	iommufd_policy_hwpt_free(ctx, obj->id, obj->type, hwpt->automatic,
				 hwpt->common.seen);
}

const struct iommufd_object_ops iommufd_hwpt_paging_ops = {
	.destroy = hwpt_paging_destroy,
};

/* Whether the IOMMU can enforce cache coherency for the device. */
static bool can_be_coherent(const struct iommufd_device *idev)
{
	return device_iommu_capable(idev->dev,
				    IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}

/*
 * Cache coherency must be enforced wherever the IOMMU can, as KVM relies on it.
 * Enforcing it can't be undone and does not affect existing mappings, so this
 * is decided before the first mapping and the first attach.
 */
static bool make_coherent(struct iommufd_hwpt_paging *hwpt,
			  const struct iommufd_device *idev)
{
	struct iommu_domain *domain = hwpt->common.domain;

	if (!can_be_coherent(idev))
		return true;
	hwpt->mirror.coherent = domain->ops->enforce_cache_coherency &&
				domain->ops->enforce_cache_coherency(domain);
	return hwpt->mirror.coherent;
}

/**
 * iommufd_hwpt_paging_check - check that a device may use a page table
 * @hwpt: the page table, or the second stage of the one to attach to
 * @idev: the device
 *
 * The device's IOMMU must support the features of the page table. Conversely,
 * the page table must enforce cache coherency if the device's IOMMU can. Not
 * all drivers check this.
 *
 * Return: 0, or -EINVAL if they are not compatible.
 */
int iommufd_hwpt_paging_check(const struct iommufd_hwpt_paging *hwpt,
			      const struct iommufd_device *idev)
{
	if (hwpt->mirror.coherent != can_be_coherent(idev))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_CACHE_COHERENCY,
				    idev->obj.id, 0);
	if (hwpt->common.domain->dirty_ops &&
	    !iommufd_tracks_dirty(idev->dev))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_OTHER_IOMMU,
				    hwpt->obj.id, idev->obj.id);
	return 0;
}

/* Like iommu_paging_domain_alloc_flags(), but with data of the user. */
static struct iommu_domain *alloc_domain(struct iommufd_device *idev, u32 flags,
					 const struct iommu_user_data *user_data)
{
	struct device *dev = idev->dev;
	struct iommu_domain *domain;
	const struct iommu_ops *ops;
	int ret;

	if (iommufd_device_is_noiommu(idev))
		return flags || user_data ? ERR_PTR(-EOPNOTSUPP) :
					    iommufd_noiommu_domain_alloc();
	ret = iommufd_hwpt_check_flags(idev, flags);
	if (ret)
		return ERR_PTR(ret);
	flags &= ~IOMMU_HWPT_FAULT_ID_VALID;
	ops = dev_iommu_ops(dev);
	if (!user_data)
		return iommu_paging_domain_alloc_flags(dev, flags);
	if (!ops->domain_alloc_paging_flags)
		return ERR_PTR(-EOPNOTSUPP);
	domain = ops->domain_alloc_paging_flags(dev, flags, user_data);
	if (IS_ERR(domain))
		return domain;
	domain->type = IOMMU_DOMAIN_UNMANAGED;
	domain->owner = ops;
	if (!domain->ops)
		domain->ops = ops->default_domain_ops;
	return domain;
}

/**
 * iommufd_hwpt_paging_alloc - allocate an empty page table for a device
 * @ioas: the IOAS that it will mirror
 * @idev: the device
 * @flags: enum iommufd_hwpt_alloc_flags
 * @max_page_shift: limit of the size of entries, see iommufd_domain_limit_page()
 * @user_data: data of the user for the driver, or NULL
 *
 * The caller must hold a reference on the IOAS from a lookup. It adds the page
 * table to the IOAS and publishes it with iommufd_hwpt_publish(), or aborts it
 * while no device is attached.
 *
 * Return: the page table or an ERR_PTR: -EINVAL if it can't enforce cache
 * coherency, -EOPNOTSUPP or another errno of the driver, or -ENOMEM.
 */
struct iommufd_hwpt_paging *
iommufd_hwpt_paging_alloc(struct iommufd_ioas *ioas,
			  struct iommufd_device *idev, u32 flags,
			  u32 max_page_shift,
			  const struct iommu_user_data *user_data)
{
	struct iommufd_hwpt_paging *hwpt;
	struct iommu_domain *domain;
	int ret;

	hwpt = iommufd_object_alloc(ioas->ctx, hwpt, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(hwpt))
		return hwpt;
	domain = alloc_domain(idev, flags, user_data);
	if (IS_ERR(domain)) {
		iommufd_fail_driver(PTR_ERR(domain));
		iommufd_object_abort(ioas->ctx, &hwpt->obj);
		return ERR_CAST(domain);
	}
	hwpt->mirror.iommu = domain;
	ret = iommufd_device_is_noiommu(idev) ?
		      0 :
		      iommufd_domain_init_msi(&hwpt->mirror, idev->dev);
	if (ret) {
		iommu_domain_free(domain);
		iommufd_object_abort(ioas->ctx, &hwpt->obj);
		return ERR_PTR(ret);
	}
	iommufd_hwpt_init(&hwpt->common, domain, flags);
	hwpt->ioas = ioas;
	INIT_LIST_HEAD(&hwpt->mirror.node);
	iommufd_domain_limit_page(&hwpt->mirror, max_page_shift);
	hwpt->nest_parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;

	if (!make_coherent(hwpt, idev)) {
		iommufd_hwpt_paging_abort(hwpt);
		return ERR_PTR(iommufd_fail(-EINVAL,
					    IOMMUFD_REASON_CACHE_COHERENCY,
					    idev->obj.id, 0));
	}
	return hwpt;
}

/**
 * iommufd_hwpt_paging_abort - free a page table that was not published
 * @hwpt: the page table
 *
 * The iommufd_hwpt_free tracepoint is called only for an automatic page table,
 * as no event has announced any other one.
 */
void iommufd_hwpt_paging_abort(struct iommufd_hwpt_paging *hwpt)
{
	u64 start_ns = iommufd_trace_start(iommufd_hwpt_free);
	struct iommufd_ctx *ctx = hwpt->ioas->ctx;

	unlink(hwpt);
	iommu_domain_free(hwpt->common.domain);
	if (hwpt->automatic)
		trace_free(ctx, hwpt, start_ns);
	iommufd_object_abort(ctx, &hwpt->obj);
}
