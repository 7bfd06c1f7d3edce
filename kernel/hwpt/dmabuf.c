// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes dma-bufs into page tables. Each knows where it is mapped, so that it
 * can be unmapped when its owner takes it back, which may happen in the middle
 * of anything that goes on in the IOAS.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"
#include "trace/fail.h"

/**
 * struct dmabuf_mapping - a dma-buf in a page table
 * @list: link in &iommufd_dmabuf.mappings
 * @domain: the page table
 * @iova: where
 * @length: bytes
 *
 * Protected by the lock of the dma-buf.
 */
struct dmabuf_mapping {
	struct list_head list;
	struct iommu_domain *domain;
	unsigned long iova;
	unsigned long length;
};

/* When the lock is let go the owner may use what was unmapped: flush before. */
static void unmap(struct dmabuf_mapping *mapping)
{
	size_t unmapped;

	unmapped = iommu_unmap(mapping->domain, mapping->iova, mapping->length);
	WARN_ON(unmapped != mapping->length);
	list_del(&mapping->list);
	kfree(mapping);
}

/**
 * iommufd_dmabuf_unmap_all - take a dma-buf out of all page tables
 * @dmabuf: the dma-buf, locked
 *
 * No DMA reaches it any more when this returns.
 */
void iommufd_dmabuf_unmap_all(struct iommufd_dmabuf *dmabuf)
{
	struct dmabuf_mapping *mapping, *next;

	list_for_each_entry_safe(mapping, next, &dmabuf->mappings, list)
		unmap(mapping);
}

/**
 * iommufd_hwpt_map_dmabuf - map an area of a dma-buf
 * @hwpt: the page table
 * @area: the area
 *
 * What its owner has taken back is not mapped, which is no failure.
 *
 * Returns 0, -ENOMEM or the errno of the IOMMU driver.
 */
int iommufd_hwpt_map_dmabuf(struct iommufd_hwpt_paging *hwpt,
			    struct iommufd_area *area)
{
	struct iommufd_dmabuf *dmabuf = area->pages->dmabuf;
	struct dmabuf_mapping *mapping;
	int ret = 0;

	mapping = kzalloc_obj(*mapping, GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	mapping->domain = hwpt->common.domain;
	mapping->iova = area->iova;
	mapping->length = iommufd_area_length(area);

	iommufd_dmabuf_lock(dmabuf);
	if (!dmabuf->revoked)
		ret = iommufd_hwpt_map_run(hwpt, area->iova,
					   area->pages->start + area->offset,
					   mapping->length,
					   (area->prot & ~IOMMU_CACHE) |
						   IOMMU_MMIO);
	if (!ret && !dmabuf->revoked) {
		list_add(&mapping->list, &dmabuf->mappings);
		mapping = NULL;
	}
	iommufd_dmabuf_unlock(dmabuf);
	kfree(mapping);
	return ret ? iommufd_fail_driver(ret) : 0;
}

/**
 * iommufd_hwpt_unmap_dmabuf - unmap an area of a dma-buf
 * @hwpt: the page table, which is flushed from the IOTLB
 * @area: the area
 */
void iommufd_hwpt_unmap_dmabuf(struct iommufd_hwpt_paging *hwpt,
			       struct iommufd_area *area)
{
	struct iommufd_dmabuf *dmabuf = area->pages->dmabuf;
	struct dmabuf_mapping *mapping;

	iommufd_dmabuf_lock(dmabuf);
	list_for_each_entry(mapping, &dmabuf->mappings, list) {
		if (mapping->domain == hwpt->common.domain &&
		    mapping->iova == area->iova) {
			unmap(mapping);
			break;
		}
	}
	iommufd_dmabuf_unlock(dmabuf);
}
