// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes areas into the page table of an IOMMU and clears them.
 */
#include <linux/iommu.h>
#include <linux/sched/signal.h>

#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "pages/pages.h"

/* Map a run; on failure none of it is mapped. */
static int map_run(struct iommufd_hwpt_paging *hwpt, unsigned long iova,
		   phys_addr_t phys, size_t length, int prot)
{
	struct iommu_domain *domain = hwpt->common.domain;
	size_t step = hwpt->ioas->large_pages ? length : PAGE_SIZE;
	size_t done, n;
	int ret;

	for (done = 0; done < length; done += n) {
		n = min(step, length - done);
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
	unsigned long iova = area->iova;
	unsigned long skip = offset_in_page(area->offset);
	struct iommufd_run_iter iter;
	int ret;

	lockdep_assert_held(&pages->lock);

	iommufd_for_each_run(&iter, &pages->blocks,
			     iommufd_area_first_index(area),
			     iommufd_area_last_index(area)) {
		/* Only the first and last page may be mapped in part. */
		size_t length = min(iter.run.npages * PAGE_SIZE - skip,
				    area->last - iova + 1);

		ret = map_run(hwpt, iova, PFN_PHYS(iter.run.pfn) + skip,
			      length, area->prot);
		if (!ret && fatal_signal_pending(current)) {
			iova += length;
			ret = -EINTR;
		}
		if (ret)
			goto undo;
		iova += length;
		skip = 0;
		(*runs)++;
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

	unmapped = iommu_unmap_fast(hwpt->common.domain, area->iova, length,
				    gather);
	WARN_ON(unmapped != length);
}
