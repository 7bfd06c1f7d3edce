// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that follow an IOAS: their life.
 */
#include <linux/iommu.h>

#include "device/device.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"

static void hwpt_free_domain(struct iommufd_hwpt_paging *hwpt)
{
	iommu_domain_free(hwpt->common.domain);
	iommufd_object_drop(&hwpt->ioas->obj);
}

static void hwpt_paging_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt_paging *hwpt = to_hwpt_paging(obj);

	iommufd_ioas_remove_hwpt(hwpt->ioas, hwpt);
	hwpt_free_domain(hwpt);
}

const struct iommufd_object_ops iommufd_hwpt_paging_ops = {
	.destroy = hwpt_paging_destroy,
};

/**
 * iommufd_hwpt_paging_suits - whether a device may share a page table
 * @hwpt: the page table
 * @idev: the device
 *
 * A device whose DMA can be kept from bypassing the CPU caches must be: KVM
 * relies on it. The page table is changed to do so if it still can be.
 */
bool iommufd_hwpt_paging_suits(struct iommufd_hwpt_paging *hwpt,
			       struct iommufd_device *idev)
{
	struct iommu_domain *domain = hwpt->common.domain;

	if (!hwpt->coherent &&
	    device_iommu_capable(idev->dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY))
		hwpt->coherent = domain->ops->enforce_cache_coherency &&
				 domain->ops->enforce_cache_coherency(domain);
	return hwpt->coherent ||
	       !device_iommu_capable(idev->dev,
				     IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}

/**
 * iommufd_hwpt_paging_alloc - make an automatic page table for a device
 * @ioas: the IOAS that it will follow
 * @idev: the device
 *
 * It is empty and nobody sees it. The caller attaches the device, which some
 * drivers need to know what the page table looks like, then links it, or aborts
 * it with no device attached.
 *
 * Returns the page table or an ERR_PTR: -ENOENT if the IOAS is being destroyed,
 * -EINVAL if it can't enforce cache coherency, or the errno of the driver.
 */
struct iommufd_hwpt_paging *
iommufd_hwpt_paging_alloc(struct iommufd_ioas *ioas,
			  struct iommufd_device *idev)
{
	struct iommufd_hwpt_paging *hwpt;
	struct iommu_domain *domain;

	hwpt = iommufd_object_alloc(ioas->ctx, hwpt, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(hwpt))
		return hwpt;
	domain = iommu_paging_domain_alloc(idev->dev);
	if (IS_ERR(domain)) {
		iommufd_object_abort(ioas->ctx, &hwpt->obj);
		return ERR_CAST(domain);
	}
	if (!iommufd_object_hold(ioas->ctx, &ioas->obj)) {
		iommu_domain_free(domain);
		iommufd_object_abort(ioas->ctx, &hwpt->obj);
		return ERR_PTR(-ENOENT);
	}
	domain->iommufd_hwpt = &hwpt->common;
	domain->cookie_type = IOMMU_COOKIE_IOMMUFD;
	hwpt->common.domain = domain;
	hwpt->ioas = ioas;
	hwpt->automatic = true;

	if (!iommufd_hwpt_paging_suits(hwpt, idev)) {
		iommufd_hwpt_paging_abort(hwpt);
		return ERR_PTR(-EINVAL);
	}
	return hwpt;
}

/**
 * iommufd_hwpt_paging_abort - free a page table that was not linked
 * @hwpt: the page table
 */
void iommufd_hwpt_paging_abort(struct iommufd_hwpt_paging *hwpt)
{
	struct iommufd_ctx *ctx = hwpt->ioas->ctx;

	hwpt_free_domain(hwpt);
	iommufd_object_abort(ctx, &hwpt->obj);
}

/**
 * iommufd_hwpt_paging_link - let a page table follow its IOAS and be seen
 * @hwpt: the page table
 *
 * Returns 0 or see iommufd_ioas_add_hwpt().
 */
int iommufd_hwpt_paging_link(struct iommufd_hwpt_paging *hwpt)
{
	int ret;

	ret = iommufd_ioas_add_hwpt(hwpt->ioas, hwpt);
	if (ret)
		return ret;
	iommufd_object_publish(hwpt->ioas->ctx, &hwpt->obj);
	return 0;
}

/**
 * iommufd_hwpt_paging_drop - a device no longer depends on a page table
 * @hwpt: the page table
 */
void iommufd_hwpt_paging_drop(struct iommufd_hwpt_paging *hwpt)
{
	if (hwpt->automatic)
		iommufd_object_drop_auto(hwpt->ioas->ctx, &hwpt->obj);
	else
		iommufd_object_drop(&hwpt->obj);
}
