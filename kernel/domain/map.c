// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps areas into the domain of an IOMMU driver and unmaps them.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/sched/signal.h>

#include "domain/area.h"
#include "domain/dmabuf.h"
#include "domain/domain.h"
#include "mock/mock.h"
#include "pages/pages.h"
#include "trace/fail.h"

/**
 * iommufd_domain_limit_page - limit the size of entries
 * @domain: the domain, still empty
 * @max_shift: binary logarithm of the largest size; 0, or a size that an address
 *	can't have, for no limit
 */
void iommufd_domain_limit_page(struct iommufd_domain *domain, u32 max_shift)
{
	domain->max_page = max_shift && max_shift < BITS_PER_LONG ?
				   BIT(max_shift) : ULONG_MAX;
}

/**
 * iommufd_domain_page_limit - get the limit of the size of entries
 * @domain: the domain, which has its page sizes
 *
 * Return: binary logarithm of the size that iommufd_domain_limit_page() has set,
 * or that of the smallest page if that is larger. 0 if there is no limit.
 */
u32 iommufd_domain_page_limit(const struct iommufd_domain *domain)
{
	if (domain->max_page == ULONG_MAX)
		return 0;
	return ilog2(max(domain->max_page,
			 iommufd_domain_smallest_page(domain)));
}

/**
 * iommufd_domain_set_large_pages - set whether entries may exceed PAGE_SIZE
 * @domain: the domain
 * @enable: they may, up to the limit of iommufd_domain_limit_page()
 */
void iommufd_domain_set_large_pages(struct iommufd_domain *domain, bool enable)
{
	unsigned long largest = enable ? ULONG_MAX : PAGE_SIZE;

	domain->largest = max(min(largest, domain->max_page),
			      iommufd_domain_smallest_page(domain));
}

/* Number of pieces to map between two checks for SIGKILL. */
#define PIECES_UNKILLED	512

/*
 * Map memory so that no entry is larger than @largest. A piece ends where its
 * address is a multiple of that, so that entries of that size remain possible.
 */
static int map_pieces(struct iommu_domain *domain, unsigned long iova,
		      phys_addr_t phys, size_t length, int prot,
		      unsigned long largest)
{
	unsigned int pieces = 0;
	size_t done, n;
	int ret;

	for (done = 0; done < length; done += n) {
		if (!(pieces++ % PIECES_UNKILLED) &&
		    fatal_signal_pending(current)) {
			ret = -EINTR;
			goto undo;
		}
		n = min(largest - ((iova + done) & (largest - 1)),
			length - done);
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
 * iommufd_domain_map_run - map physically contiguous memory
 * @domain: the domain
 * @iova: first address
 * @phys: physical address
 * @length: bytes
 * @prot: IOMMU_READ and so on
 *
 * Return: 0, -EINTR if the caller was killed, or the errno of the IOMMU driver.
 * Nothing is mapped on failure.
 */
int iommufd_domain_map_run(struct iommufd_domain *domain, unsigned long iova,
			   phys_addr_t phys, size_t length, int prot)
{
	unsigned long largest = domain->largest;

	if (length > largest)
		return map_pieces(domain->iommu, iova, phys, length, prot,
				  largest);
	return iommu_map(domain->iommu, iova, phys, length, prot,
			 GFP_KERNEL_ACCOUNT);
}

/* Number of runs to map between two checks for SIGKILL. */
#define RUNS_UNKILLED	256

/**
 * struct area_walk - progress of mapping an area
 * @domain: the domain
 * @area: the area
 * @iova: next address
 * @skip: bytes to skip in the next page: only the first and the last page of an
 *	area may be mapped in part
 * @runs: number of runs so far
 */
struct area_walk {
	struct iommufd_domain *domain;
	struct iommufd_area *area;
	unsigned long iova;
	unsigned long skip;
	u64 runs;
};

/*
 * Map the runs of a block. The area uses the whole block, which therefore ends
 * with the area's last page at the latest. Scattered memory has one run per
 * page, so the values needed for each run are kept in registers.
 */
static int map_block(struct area_walk *walk, const struct iommufd_run_iter *iter)
{
	const struct iommufd_block *block = iter->block;
	const u32 *pfns = block->nr_runs ? NULL : iommufd_block_pfns(block);
	unsigned int nr_runs = iommufd_block_nr_runs(block);
	unsigned long pfn = iter->run.pfn, npages = iter->run.npages;
	unsigned long last = walk->area->last, iova = walk->iova;
	struct iommu_domain *domain = walk->domain->iommu;
	unsigned long largest = walk->domain->largest;
	unsigned long skip = walk->skip;
	int prot = walk->area->prot, ret;
	unsigned int i = iter->i;

	for (;;) {
		size_t length = min(npages * PAGE_SIZE - skip, last - iova + 1);
		phys_addr_t phys = PFN_PHYS(pfn) + skip;

		if (length <= largest)
			ret = iommu_map(domain, iova, phys, length, prot,
					GFP_KERNEL_ACCOUNT);
		else
			ret = map_pieces(domain, iova, phys, length, prot,
					 largest);
		if (ret) {
			iommufd_fail_driver(ret);
			break;
		}
		iova += length;
		skip = 0;
		if (++i == nr_runs)
			break;
		if (!(i % RUNS_UNKILLED) && fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (pfns) {
			pfn = pfns[i];
			npages = 1;
			continue;
		}
		pfn = iommufd_run_pfn(block->runs[i]);
		npages = iommufd_run_bound(block, i + 1) -
			 iommufd_run_start(block->runs[i]);
	}
	walk->runs += i - iter->i;
	walk->iova = iova;
	walk->skip = skip;
	return ret;
}

static int map_memory(struct area_walk *walk)
{
	struct iommufd_area *area = walk->area;
	struct iommufd_run_iter iter __uninitialized;
	bool more;
	int ret;

	for (more = iommufd_run_first(&iter, &area->pages->blocks,
				      iommufd_area_first_index(area),
				      iommufd_area_last_index(area));
	     more; more = iommufd_run_next_block(&iter)) {
		ret = map_block(walk, &iter);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			goto undo;
	}
	return 0;

undo:
	if (walk->iova != area->iova)
		iommu_unmap(walk->domain->iommu, area->iova,
			    walk->iova - area->iova);
	return ret;
}

/* Map an area that is all in one run, which is the whole @block. */
static int map_sole_run(struct iommufd_domain *domain,
			const struct iommufd_area *area,
			const struct iommufd_block *block)
{
	unsigned long skip = iommufd_area_first_index(area) - block->node.start;
	unsigned long pfn = iommufd_run_pfn(block->runs[0]) + skip;
	int ret;

	ret = iommufd_domain_map_run(domain, area->iova,
				     PFN_PHYS(pfn) + offset_in_page(area->offset),
				     iommufd_area_length(area), area->prot);
	if (ret)
		iommufd_fail_driver(ret);
	return ret;
}

/**
 * iommufd_domain_map_area - map an area
 * @domain: the domain
 * @area: the area, whose pages are pinned
 * @runs: increased by the number of physically contiguous runs
 *
 * Context: The caller must hold the lock of the area's pages.
 * Return: 0, -EINTR if the caller was killed, or the errno of the IOMMU driver.
 * The domain is unchanged on failure.
 */
int iommufd_domain_map_area(struct iommufd_domain *domain,
			    struct iommufd_area *area, u64 *runs)
{
	struct area_walk walk = {
		.domain = domain,
		.area = area,
		.iova = area->iova,
		.skip = offset_in_page(area->offset),
	};
	const struct iommufd_block *block;
	int ret;

	lockdep_assert_held(&area->pages->lock);

	if (iommufd_mock_should_fail())
		return -ENOMEM;
	if (!iommufd_pages_are_memory(area->pages)) {
		(*runs)++;
		return iommufd_domain_map_dmabuf(domain, area);
	}
	block = iommufd_sole_block(&area->pages->blocks);
	if (block && block->nr_runs == 1) {
		(*runs)++;
		return map_sole_run(domain, area, block);
	}
	ret = map_memory(&walk);
	*runs += walk.runs;
	return ret;
}

/**
 * iommufd_domain_unmap_area - unmap an area
 * @domain: the domain
 * @area: the area
 * @gather: the ranges that the caller must flush from the IOTLB before it
 *	unpins the pages
 */
void iommufd_domain_unmap_area(struct iommufd_domain *domain,
			       struct iommufd_area *area,
			       struct iommu_iotlb_gather *gather)
{
	unsigned long length = iommufd_area_length(area);
	size_t unmapped;

	if (!iommufd_pages_are_memory(area->pages)) {
		iommufd_domain_unmap_dmabuf(domain, area);
		return;
	}
	unmapped = iommu_unmap_fast(domain->iommu, area->iova, length,
				    gather);
	WARN_ON(unmapped != length);
}

/**
 * iommufd_domain_clear_area - unmap an area and flush it from the IOTLB
 * @domain: the domain
 * @area: the area, whose pages can be unpinned afterwards
 */
void iommufd_domain_clear_area(struct iommufd_domain *domain,
			       struct iommufd_area *area)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	iommufd_domain_unmap_area(domain, area, &gather);
	iommu_iotlb_sync(domain->iommu, &gather);
}
