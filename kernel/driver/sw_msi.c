// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doorbells of MSIs for IOMMUs that translate the writes to them, as Arm's do.
 * A doorbell gets a page of the range that the IOMMU driver sets aside for it,
 * the same one in all page tables of a context.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/msi.h>
#include <linux/slab.h>

#include "core/ctx.h"
#include "device/attach.h"
#include "device/device.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "iommu-priv.h"

/**
 * struct sw_msi_page - a doorbell that a context has met
 * @list: link in &iommufd_ctx.sw_msi_pages
 * @doorbell: its physical address, page aligned
 * @start: of the range set aside
 * @number: page in that range
 */
struct sw_msi_page {
	struct list_head list;
	phys_addr_t doorbell;
	phys_addr_t start;
	unsigned int number;
};

static phys_addr_t page_iova(const struct sw_msi_page *page)
{
	return page->start + page->number * PAGE_SIZE;
}

static struct sw_msi_page *get_page_of(struct iommufd_ctx *ctx,
				       phys_addr_t doorbell, phys_addr_t start)
{
	struct sw_msi_page *page;
	unsigned int number = 0;

	lockdep_assert_held(&ctx->sw_msi_lock);

	list_for_each_entry(page, &ctx->sw_msi_pages, list) {
		if (page->start != start)
			continue;
		if (page->doorbell == doorbell)
			return page;
		number++;
	}
	if (number == IOMMUFD_SW_MSI_PAGES)
		return ERR_PTR(-EOVERFLOW);
	page = kzalloc_obj(*page, GFP_KERNEL_ACCOUNT);
	if (!page)
		return ERR_PTR(-ENOMEM);
	page->doorbell = doorbell;
	page->start = start;
	page->number = number;
	list_add_tail(&page->list, &ctx->sw_msi_pages);
	return page;
}

static int map_page(struct iommufd_hwpt_paging *hwpt, struct sw_msi_page *page)
{
	int ret;

	if (test_bit(page->number, hwpt->sw_msi))
		return 0;
	/* The range is reserved in the IOAS: nothing else is mapped there. */
	ret = iommu_map(hwpt->common.domain, page_iova(page), page->doorbell,
			PAGE_SIZE, IOMMU_READ | IOMMU_WRITE | IOMMU_MMIO,
			GFP_KERNEL_ACCOUNT);
	if (!ret)
		__set_bit(page->number, hwpt->sw_msi);
	return ret;
}

/**
 * iommufd_sw_msi - make an MSI doorbell reachable through a page table
 * @domain: the page table, which belongs to iommufd and which the device is
 *	attached to
 * @desc: the interrupt, told the address to write to
 * @msi_addr: physical address of the doorbell
 *
 * Context: the mutex of the IOMMU group is held.
 *
 * Returns 0, also where the IOMMU does not translate doorbells, -EOVERFLOW if
 * there are more doorbells than the range has pages, -ENOMEM, or the errno of
 * the IOMMU driver.
 */
int iommufd_sw_msi(struct iommu_domain *domain, struct msi_desc *desc,
		   phys_addr_t msi_addr)
{
	struct device *dev = msi_desc_to_dev(desc);
	struct iommufd_hwpt_paging *hwpt =
		iommufd_hwpt_paging_of(domain->iommufd_hwpt);
	struct iommufd_ctx *ctx = hwpt->ioas->ctx;
	struct iommufd_attach_handle *handle;
	struct iommu_attach_handle *attached;
	struct iommufd_group *igroup;
	struct sw_msi_page *page;
	int ret;

	attached = iommu_attach_handle_get(dev->iommu_group, IOMMU_NO_PASID, 0);
	if (IS_ERR(attached))
		return 0;
	handle = container_of(attached, struct iommufd_attach_handle, handle);
	igroup = handle->igroup;
	if (igroup->sw_msi_start == PHYS_ADDR_MAX)
		return 0;

	mutex_lock(&ctx->sw_msi_lock);
	page = get_page_of(ctx, ALIGN_DOWN(msi_addr, PAGE_SIZE),
			   igroup->sw_msi_start);
	ret = PTR_ERR_OR_ZERO(page);
	if (!ret)
		ret = map_page(hwpt, page);
	if (!ret) {
		__set_bit(page->number, igroup->sw_msi);
		msi_desc_set_iommu_msi_iova(desc, page_iova(page), PAGE_SHIFT);
	}
	mutex_unlock(&ctx->sw_msi_lock);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(iommufd_sw_msi, "IOMMUFD");

/**
 * iommufd_sw_msi_prepare - a group is about to be attached to a page table
 * @igroup: the group, locked
 * @hwpt: the page table
 *
 * Its interrupts keep the addresses that they have been told.
 *
 * Returns 0 or the errno of the IOMMU driver.
 */
int iommufd_sw_msi_prepare(struct iommufd_group *igroup,
			   struct iommufd_hwpt_paging *hwpt)
{
	struct iommufd_ctx *ctx = igroup->ctx;
	struct sw_msi_page *page;
	int ret = 0;

	if (igroup->sw_msi_start == PHYS_ADDR_MAX)
		return 0;

	mutex_lock(&ctx->sw_msi_lock);
	list_for_each_entry(page, &ctx->sw_msi_pages, list) {
		if (page->start != igroup->sw_msi_start ||
		    !test_bit(page->number, igroup->sw_msi))
			continue;
		ret = map_page(hwpt, page);
		if (ret)
			break;
	}
	mutex_unlock(&ctx->sw_msi_lock);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(iommufd_sw_msi_prepare, "IOMMUFD_INTERNAL");

/**
 * iommufd_sw_msi_free - forget the doorbells of a context
 * @ctx: the context, which has no page table any more
 */
void iommufd_sw_msi_free(struct iommufd_ctx *ctx)
{
	struct sw_msi_page *page, *next;

	list_for_each_entry_safe(page, next, &ctx->sw_msi_pages, list)
		kfree(page);
}
EXPORT_SYMBOL_NS_GPL(iommufd_sw_msi_free, "IOMMUFD_INTERNAL");
