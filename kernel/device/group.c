// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices of an IOMMU group are not isolated from each other, so they share
 * a context and a page table. This is the state of a group in a context.
 */
#include <linux/slab.h>

#include "core/ctx.h"
#include "device/device.h"
#include "trace/fail.h"

static void group_release(struct kref *ref)
{
	struct iommufd_group *igroup =
		container_of(ref, struct iommufd_group, ref);
	struct xarray *groups = &igroup->msi.ctx->groups;

	if (igroup->group)
		__xa_erase(groups, iommu_group_id(igroup->group));
	xa_unlock(groups);
	WARN_ON(!xa_empty(&igroup->attachments));
	iommu_group_put(igroup->group);
	mutex_destroy(&igroup->lock);
	kfree(igroup);
}

/**
 * iommufd_group_put - release a reference to a group
 * @igroup: the group; it is freed with the last reference
 */
void iommufd_group_put(struct iommufd_group *igroup)
{
	struct xarray *groups = &igroup->msi.ctx->groups;

	xa_lock(groups);
	if (!kref_put(&igroup->ref, group_release))
		xa_unlock(groups);
}

static struct iommufd_group *group_alloc(struct iommufd_ctx *ctx,
					 struct iommu_group *group)
{
	struct iommufd_group *igroup;

	igroup = kzalloc_obj(*igroup, GFP_KERNEL_ACCOUNT);
	if (!igroup)
		return ERR_PTR(-ENOMEM);
	kref_init(&igroup->ref);
	mutex_init(&igroup->lock);
	xa_init_flags(&igroup->attachments, XA_FLAGS_ACCOUNT);
	igroup->msi.ctx = ctx;
	igroup->group = group;
	return igroup;
}

/**
 * iommufd_group_get - get or create the group of a device in a context
 * @ctx: the context
 * @dev: the device
 *
 * If the kernel allows devices without an IOMMU, such a device gets a group of
 * its own: the IOMMU group that VFIO creates for it has no meaning.
 *
 * Release the reference with iommufd_group_put().
 *
 * Context: Process context. May sleep.
 *
 * Return: The group or an ERR_PTR: -ENODEV if the device is not behind an
 * IOMMU, -ENOMEM.
 */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ctx,
					struct device *dev)
{
	struct iommufd_group *igroup, *new;
	struct iommu_group *group;
	int ret;

	if (IS_ENABLED(CONFIG_IOMMUFD_NOIOMMU) && !dev->iommu)
		return group_alloc(ctx, NULL);

	group = iommu_group_get(dev);
	if (!group)
		return ERR_PTR(iommufd_fail(-ENODEV, IOMMUFD_REASON_NO_IOMMU,
					    0, 0));
	new = group_alloc(ctx, group);
	if (IS_ERR(new)) {
		iommu_group_put(group);
		return new;
	}

	xa_lock(&ctx->groups);
	igroup = __xa_cmpxchg(&ctx->groups, iommu_group_id(group), NULL, new,
			      GFP_KERNEL_ACCOUNT);
	ret = xa_err(igroup);
	if (!ret && igroup)
		kref_get(&igroup->ref);
	xa_unlock(&ctx->groups);

	if (!ret && !igroup)
		return new;
	iommu_group_put(group);
	kfree(new);
	return ret ? ERR_PTR(ret) : igroup;
}
