// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas: the mappings of an IOAS. An area keeps its pages pinned while a page
 * table maps them.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "ioas/area.h"
#include "ioas/ioas.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"

/* The area for which the pages have room. */
static struct iommufd_area *own_area(struct iommufd_pages *pages)
{
	static_assert(sizeof(pages->area_room) >= sizeof(struct iommufd_area));
	return (struct iommufd_area *)pages->area_room;
}

static int dma_prot(const struct iommufd_pages *pages, u32 flags)
{
	/* Devices that are not coherent can't be bound. */
	int prot = iommufd_pages_are_memory(pages) ? IOMMU_CACHE : IOMMU_MMIO;

	if (flags & IOMMU_IOAS_MAP_READABLE)
		prot |= IOMMU_READ;
	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		prot |= IOMMU_WRITE;
	return prot;
}

/**
 * iommufd_area_alloc - allocate an area that has no address yet
 * @pages: its pages; takes over the caller's reference, also on failure
 * @offset: offset of its first byte in @pages
 * @length: bytes
 * @flags: enum iommufd_ioas_map_flags
 *
 * Return: the area or ERR_PTR(-ENOMEM).
 */
struct iommufd_area *iommufd_area_alloc(struct iommufd_pages *pages,
					unsigned long offset,
					unsigned long length, u32 flags)
{
	struct iommufd_area *area;

	if (iommufd_pages_take_room(pages, IOMMUFD_ROOM_AREA)) {
		area = own_area(pages);
	} else {
		area = kmalloc_obj(*area, GFP_KERNEL_ACCOUNT);
		if (!area) {
			iommufd_pages_put(pages);
			return ERR_PTR(-ENOMEM);
		}
	}
	/* The rest is set when the area gets an address. */
	area->iova = 0;
	area->last = length - 1;
	area->state = IOMMUFD_AREA_MAPPING;
	area->pages = pages;
	area->offset = offset;
	area->prot = dma_prot(pages, flags);
	area->pinned = false;
	area->refs = 0;
	area->pins = 0;
	area->phys_pins = 0;
	return area;
}

/**
 * iommufd_area_free - free an area that is in no map
 * @area: the area
 */
void iommufd_area_free(struct iommufd_area *area)
{
	struct iommufd_pages *pages = area->pages;

	if (area == own_area(pages))
		iommufd_pages_free_room(pages, IOMMUFD_ROOM_AREA);
	else
		kfree(area);
	iommufd_pages_put(pages);
}

/**
 * iommufd_areas_free - free areas that are in no map
 * @areas: struct iommufd_area linked by their list, not valid afterwards
 */
void iommufd_areas_free(struct list_head *areas)
{
	struct iommufd_area *area, *next;

	list_for_each_entry_safe(area, next, areas, list)
		iommufd_area_free(area);
}

/**
 * iommufd_area_pin - pin the pages of an area
 * @ioas: the IOAS
 * @area: the area
 * @pinned: increased by the number of pages that were not pinned before
 *
 * Does nothing if the area has its pages pinned already. A dma-buf has nothing
 * to pin. The caller ends this with iommufd_area_unpin().
 *
 * Context: May sleep. The caller must hold the pin_lock of the area's pages.
 * Return: 0 or a negative errno, see iommufd_pages_pin().
 */
int iommufd_area_pin(struct iommufd_ioas *ioas, struct iommufd_area *area,
		     unsigned long *pinned)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);
	unsigned long first, last;
	int ret;

	if (READ_ONCE(area->pinned))
		return 0;
	/* Nothing to pin, but the exporter may hold its lock for long. */
	if (!iommufd_pages_are_memory(area->pages))
		return iommufd_dmabuf_wait(area->pages->dmabuf);
	first = iommufd_area_first_index(area);
	last = iommufd_area_last_index(area);
	ret = iommufd_pages_pin(area->pages, first, last, &requester, pinned);
	if (ret)
		return ret;
	WRITE_ONCE(area->pinned, true);
	atomic_long_add(last - first + 1, &ioas->pinned);
	return 0;
}

/**
 * iommufd_area_unpin - unpin the pages of an area
 * @ioas: the IOAS
 * @area: the area, which must not be in any page table. The IOTLBs have been
 *	flushed
 *
 * Return: the number of pages unpinned.
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
	return iommufd_pages_unpin(area->pages, first, last, &requester);
}
