// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation and destruction of first stages that user space manages.
 */
#include <linux/iommu.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "device/device.h"
#include "hwpt/hwpt.h"
#include "hwpt/nested.h"
#include "ioas/ioas.h"
#include "iommu-priv.h"
#include "trace/device_events.h"
#include "trace/fail.h"

static void hwpt_nested_destroy(struct iommufd_object *obj)
{
	u64 start_ns = iommufd_trace_start(iommufd_hwpt_free);
	struct iommufd_hwpt_nested *hwpt = to_hwpt_nested(obj);
	struct iommufd_ctx *ctx = hwpt->parent->ioas->ctx;

	iommufd_hwpt_release(&hwpt->common);
	trace_iommufd_hwpt_free(ctx->number, obj->id, obj->type, false,
				iommufd_trace_ns(start_ns));
	iommufd_policy_hwpt_free(ctx, obj->id, obj->type, false,
				 hwpt->common.seen);
}

const struct iommufd_object_ops iommufd_hwpt_nested_ops = {
	.destroy = hwpt_nested_destroy,
};

static struct iommu_domain *
alloc_domain(struct iommufd_hwpt_paging *parent, struct iommufd_viommu *viommu,
	     struct iommufd_device *idev, u32 flags,
	     const struct iommu_user_data *user_data)
{
	const struct iommu_ops *ops;
	struct iommu_domain *domain;
	int ret;

	if (iommufd_device_is_noiommu(idev))
		return ERR_PTR(iommufd_fail_driver(-EOPNOTSUPP));
	ret = iommufd_hwpt_check_flags(idev, flags);
	if (ret)
		return ERR_PTR(ret);
	ops = dev_iommu_ops(idev->dev);
	flags &= ~IOMMU_HWPT_FAULT_ID_VALID;
	if (viommu) {
		if (viommu->iommu_dev != __iommu_get_iommu_dev(idev->dev))
			return ERR_PTR(iommufd_fail(-EINVAL,
						    IOMMUFD_REASON_OTHER_IOMMU,
						    viommu->obj.id,
						    idev->obj.id));
		if (!viommu->ops || !viommu->ops->alloc_domain_nested)
			return ERR_PTR(iommufd_fail_driver(-EOPNOTSUPP));
		domain = viommu->ops->alloc_domain_nested(viommu, flags,
							  user_data);
	} else {
		if (!parent->nest_parent)
			return ERR_PTR(iommufd_fail(-EINVAL,
						    IOMMUFD_REASON_NOT_NEST_PARENT,
						    parent->obj.id, 0));
		if (!ops->domain_alloc_nested)
			return ERR_PTR(iommufd_fail_driver(-EOPNOTSUPP));
		if (parent->common.domain->owner != ops)
			return ERR_PTR(iommufd_fail(-EINVAL,
						    IOMMUFD_REASON_OTHER_IOMMU,
						    parent->obj.id,
						    idev->obj.id));
		domain = ops->domain_alloc_nested(idev->dev,
						  parent->common.domain, flags,
						  user_data);
	}
	if (IS_ERR(domain)) {
		iommufd_fail_driver(PTR_ERR(domain));
		return domain;
	}
	domain->owner = ops;
	if (WARN_ON_ONCE(domain->type != IOMMU_DOMAIN_NESTED)) {
		iommu_domain_free(domain);
		return ERR_PTR(iommufd_fail_driver(-EOPNOTSUPP));
	}
	return domain;
}

/**
 * iommufd_hwpt_nested_alloc - allocate a first stage for a device
 * @ctx: the context
 * @parent: the second stage
 * @viommu: vIOMMU of the second stage to allocate it from, or NULL
 * @idev: the device
 * @flags: enum iommufd_hwpt_alloc_flags
 * @user_data: data of the user for the driver
 *
 * The caller must hold a reference on the vIOMMU or the second stage from a
 * lookup. It publishes the page table with iommufd_hwpt_publish() or aborts it.
 *
 * Return: the page table or an ERR_PTR: -EINVAL if @parent can't be a second
 * stage or belongs to another IOMMU than the device, -EOPNOTSUPP or another
 * errno of the driver, or -ENOMEM.
 */
struct iommufd_hwpt_nested *
iommufd_hwpt_nested_alloc(struct iommufd_ctx *ctx,
			  struct iommufd_hwpt_paging *parent,
			  struct iommufd_viommu *viommu,
			  struct iommufd_device *idev, u32 flags,
			  const struct iommu_user_data *user_data)
{
	struct iommufd_hwpt_nested *hwpt;
	struct iommu_domain *domain;

	hwpt = iommufd_object_alloc(ctx, hwpt, IOMMUFD_OBJ_HWPT_NESTED);
	if (IS_ERR(hwpt))
		return hwpt;
	domain = alloc_domain(parent, viommu, idev, flags, user_data);
	if (IS_ERR(domain)) {
		iommufd_object_abort(ctx, &hwpt->obj);
		return ERR_CAST(domain);
	}
	iommufd_hwpt_init(&hwpt->common, domain, flags);
	hwpt->parent = parent;
	hwpt->viommu = viommu;
	return hwpt;
}

/**
 * iommufd_hwpt_nested_abort - free a page table that was not published
 * @ctx: the context
 * @hwpt: the page table
 */
void iommufd_hwpt_nested_abort(struct iommufd_ctx *ctx,
			       struct iommufd_hwpt_nested *hwpt)
{
	iommu_domain_free(hwpt->common.domain);
	iommufd_object_abort(ctx, &hwpt->obj);
}
