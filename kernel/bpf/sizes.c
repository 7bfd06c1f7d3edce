// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the pinned pages of an IOAS by the size of the pages with which an
 * IOMMU can map them: naturally aligned powers of two, that are contiguous in
 * physical memory and have the same alignment in the address space of devices.
 *
 * A driver that supports only some of these sizes maps the pages of another size
 * with the next smaller one that it supports.
 */
#include <linux/bitops.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#include "bpf/areas.h"
#include "bpf/iommufd_bpf.h"
#include "bpf/sizes.h"
#include "ioas/ioas.h"
#include "pages/pages.h"

/* Largest order that is counted; a lock is held for no more pages than these. */
#define LARGEST (IOMMUFD_PAGE_ORDERS - 1)

static void count_run(u64 *pages, unsigned int largest, unsigned long at,
		      const struct iommufd_run *run)
{
	unsigned long pfn = run->pfn, left = run->npages;
	unsigned int order;

	while (left) {
		order = ilog2(left);
		if (at | pfn)
			order = min_t(unsigned int, order, __ffs(at | pfn));
		order = min(order, largest);
		pages[order] += BIT(order);
		at += BIT(order);
		pfn += BIT(order);
		left -= BIT(order);
	}
}

static int count_area(const struct iommufd_area_pages *area, u64 *pages,
		      unsigned int largest)
{
	unsigned long at = area->iova >> PAGE_SHIFT, index = area->first;
	unsigned long left = area->npages, part;
	struct iommufd_run_iter iter;

	while (left) {
		/* None of the counted sizes crosses the end of this part. */
		part = min(left, BIT(LARGEST) - (at & (BIT(LARGEST) - 1)));
		mutex_lock(&area->pages->lock);
		iommufd_for_each_run(&iter, &area->pages->blocks, index,
				     index + part - 1)
			count_run(pages, largest, at + iter.run.index - index,
				  &iter.run);
		mutex_unlock(&area->pages->lock);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		at += part;
		index += part;
		left -= part;
	}
	return 0;
}

static int count_ioas(struct iommufd_ioas *ioas, u64 *pages,
		      unsigned int largest)
{
	struct iommufd_area_pages area;
	unsigned long iova = 0;
	int ret;

	do {
		ret = iommufd_ioas_next_pages(ioas, iova, &area);
		if (ret || !area.pages)
			break;
		if (area.pinned)
			ret = count_area(&area, pages, largest);
		iommufd_pages_put(area.pages);
		cond_resched();
		/* Zero if the area ends at the last address. */
		iova = area.last + 1;
	} while (!ret && iova);
	return ret;
}

__bpf_kfunc_start_defs();

/**
 * bpf_iommufd_count_sizes - count the pinned pages of an IOAS by page size
 * @ctx: number of the context; it need not exist
 * @ioas: id of the IOAS; it need not exist
 * @pages: array whose entry N is increased by the number of pages of PAGE_SIZE
 *	that an IOMMU can map in pages of PAGE_SIZE << N; the last entry also
 *	counts those that it can map in larger ones
 * @pages__sz: size of @pages in bytes; entries from IOMMUFD_PAGE_ORDERS on are
 *	not used
 *
 * Counts the memory of the areas that page tables map, but no dma-bufs. Areas
 * that are mapped or unmapped meanwhile may or may not be counted.
 *
 * Context: Process context, in programs that may sleep. Takes and releases
 * &iommufd_ioas.iova_lock and &iommufd_pages.lock.
 *
 * Return: 0, -EINVAL if @pages has no room for an entry, or -EINTR if the task
 * was killed.
 */
__bpf_kfunc int bpf_iommufd_count_sizes(u32 ctx, u32 ioas, u64 *pages,
					u32 pages__sz)
{
	u32 orders = min_t(u32, pages__sz / sizeof(*pages),
			   IOMMUFD_PAGE_ORDERS);
	struct iommufd_ioas *found;
	int ret;

	if (!orders)
		return -EINVAL;
	found = iommufd_ioas_find(ctx, ioas);
	if (!found)
		return 0;
	ret = count_ioas(found, pages, orders - 1);
	iommufd_ioas_leave(found);
	return ret;
}

__bpf_kfunc_end_defs();
