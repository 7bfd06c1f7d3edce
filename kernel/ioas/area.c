// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas: what an IOAS maps, and the pages that they keep pinned while a page
 * table maps them.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "ioas/ioas.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"

static int dma_prot(const struct iommufd_pages *pages, u32 flags)
{
	/* Devices that are not coherent are not bound. */
	int prot = iommufd_pages_are_memory(pages) ? IOMMU_CACHE : IOMMU_MMIO;

	if (flags & IOMMU_IOAS_MAP_READABLE)
		prot |= IOMMU_READ;
	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		prot |= IOMMU_WRITE;
	return prot;
}

/**
 * iommufd_area_alloc - make an area that has no address yet
 * @pages: its pages, of which it takes a reference
 * @offset: first byte of them
 * @length: bytes
 * @flags: enum iommufd_ioas_map_flags
 *
 * Returns the area or ERR_PTR(-ENOMEM).
 */
struct iommufd_area *iommufd_area_alloc(struct iommufd_pages *pages,
					unsigned long offset,
					unsigned long length, u32 flags)
{
	struct iommufd_area *area = kzalloc_obj(*area, GFP_KERNEL_ACCOUNT);

	if (!area)
		return ERR_PTR(-ENOMEM);
	refcount_inc(&pages->refs);
	area->pages = pages;
	area->state = IOMMUFD_AREA_MAPPING;
	area->last = length - 1;
	area->offset = offset;
	area->prot = dma_prot(pages, flags);
	return area;
}

/**
 * iommufd_area_free - free an area that is in no space
 * @area: the area
 */
void iommufd_area_free(struct iommufd_area *area)
{
	iommufd_pages_put(area->pages);
	kfree(area);
}

/**
 * iommufd_areas_free - free areas that are in no space
 * @areas: struct iommufd_area by their list, empty afterwards
 */
void iommufd_areas_free(struct list_head *areas)
{
	struct iommufd_area *area, *next;

	list_for_each_entry_safe(area, next, areas, list) {
		list_del(&area->list);
		iommufd_area_free(area);
	}
}

/**
 * iommufd_area_pin - pin the pages of an area, unless they are or can't be
 * @ioas: the IOAS
 * @area: the area; the pin_lock of its pages is held
 * @pinned: increased by the number of pages that were not pinned before
 *
 * Ended with iommufd_area_unpin().
 *
 * Returns 0 or a negative errno, see iommufd_pages_use().
 */
int iommufd_area_pin(struct iommufd_ioas *ioas, struct iommufd_area *area,
		     unsigned long *pinned)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);
	int ret;

	if (READ_ONCE(area->pinned))
		return 0;
	/* There is nothing to pin, but its owner may have it locked for long. */
	if (!iommufd_pages_are_memory(area->pages))
		return iommufd_dmabuf_wait(area->pages->dmabuf);
	ret = iommufd_pages_use(area->pages, iommufd_area_first_index(area),
				iommufd_area_last_index(area), &requester,
				pinned);
	if (ret)
		return ret;
	WRITE_ONCE(area->pinned, true);
	atomic_long_add(iommufd_area_npages(area), &ioas->pinned);
	return 0;
}

/**
 * iommufd_area_unpin - an area no longer keeps its pages pinned
 * @ioas: the IOAS
 * @area: the area, in no page table, and the IOTLBs have been flushed
 *
 * Returns the number of pages unpinned.
 */
unsigned long iommufd_area_unpin(struct iommufd_ioas *ioas,
				 struct iommufd_area *area)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);
	unsigned long first, last;

	if (!area->pinned)
		return 0;
	first = iommufd_area_first_index(area);
	last = iommufd_area_last_index(area);
	WRITE_ONCE(area->pinned, false);
	atomic_long_sub(last - first + 1, &ioas->pinned);
	return iommufd_pages_unuse(area->pages, first, last, &requester);
}
