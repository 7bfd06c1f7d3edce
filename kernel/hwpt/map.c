// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes areas into the page table of an IOMMU and clears them.
 */
#include <linux/iommu.h>
#include <linux/sched/signal.h>

#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "mock/mock.h"
#include "pages/pages.h"
#include "trace/fail.h"

static int map_small_pages(struct iommu_domain *domain, unsigned long iova,
			   phys_addr_t phys, size_t length, int prot)
{
	size_t done, n;
	int ret;

	for (done = 0; done < length; done += n) {
		n = min(PAGE_SIZE, length - done);
		ret = iommu_map(domain, iova + done, phys + done, n, prot,
				GFP_KERNEL_ACCOUNT);
		if (ret)
			goto undo;
	}
	return 0;

undo:
	if (done)
		iommu_unmap(domain, iova, done);
	return ret;
}

/**
 * iommufd_hwpt_map_run - map physically contiguous memory
 * @hwpt: the page table
 * @iova: first address
 * @phys: physical address
 * @length: bytes
 * @prot: IOMMU_READ and so on
 *
 * Returns 0 or the errno of the IOMMU driver, and nothing of it is mapped then.
 */
int iommufd_hwpt_map_run(struct iommufd_hwpt_paging *hwpt, unsigned long iova,
			 phys_addr_t phys, size_t length, int prot)
{
	struct iommu_domain *domain = hwpt->common.domain;

	if (!hwpt->ioas->large_pages)
		return map_small_pages(domain, iova, phys, length, prot);
	return iommu_map(domain, iova, phys, length, prot, GFP_KERNEL_ACCOUNT);
}

/**
 * iommufd_hwpt_map_area - map an area
 * @hwpt: the page table
 * @area: the area, whose pages are pinned and locked
 * @runs: increased by the number of physically contiguous runs
 *
 * Returns 0, -EINTR if the caller was killed, or the errno of the IOMMU driver.
 * The page table is as before on failure.
 */
int iommufd_hwpt_map_area(struct iommufd_hwpt_paging *hwpt,
			  struct iommufd_area *area, u64 *runs)
{
	struct iommufd_pages *pages = area->pages;
	unsigned long skip = offset_in_page(area->offset);
	unsigned long iova = area->iova;
	struct iommufd_run_iter iter;
	int ret;

	lockdep_assert_held(&pages->lock);

	if (iommufd_mock_should_fail())
		return -ENOMEM;
	if (!iommufd_pages_are_memory(pages)) {
		(*runs)++;
		return iommufd_hwpt_map_dmabuf(hwpt, area);
	}

	iommufd_for_each_run(&iter, &pages->blocks,
			     iommufd_area_first_index(area),
			     iommufd_area_last_index(area)) {
		/* Only the first and last page may be mapped in part. */
		size_t length = min(iter.run.npages * PAGE_SIZE - skip,
				    area->last - iova + 1);

		ret = iommufd_hwpt_map_run(hwpt, iova,
					   PFN_PHYS(iter.run.pfn) + skip,
					   length, area->prot);
		if (ret) {
			iommufd_fail_driver(ret);
			goto undo;
		}
		iova += length;
		skip = 0;
		(*runs)++;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			goto undo;
		}
	}
	return 0;

undo:
	if (iova != area->iova)
		iommu_unmap(hwpt->common.domain, area->iova,
			    iova - area->iova);
	return ret;
}

/**
 * iommufd_hwpt_unmap_area - unmap an area
 * @hwpt: the page table
 * @area: the area
 * @gather: what the caller has to flush from the IOTLB before he gives the
 *	pages back
 */
void iommufd_hwpt_unmap_area(struct iommufd_hwpt_paging *hwpt,
			     struct iommufd_area *area,
			     struct iommu_iotlb_gather *gather)
{
	unsigned long length = iommufd_area_length(area);
	size_t unmapped;

	if (!iommufd_pages_are_memory(area->pages)) {
		iommufd_hwpt_unmap_dmabuf(hwpt, area);
		return;
	}
	unmapped = iommu_unmap_fast(hwpt->common.domain, area->iova, length,
				    gather);
	WARN_ON(unmapped != length);
}
