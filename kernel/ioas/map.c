// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts areas into an IOAS and its page tables, and page tables under an IOAS.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/pgtable.h>
#include <linux/slab.h>

#include "device/access.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "pages/pages.h"
#include "trace/fail.h"

/* Pin the pages of an area, unless the area has done so; pages are locked. */
static int area_use(struct iommufd_ioas *ioas, struct iommufd_area *area,
		    unsigned long *pinned)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);
	int ret;

	if (area->pinned)
		return 0;
	ret = iommufd_pages_use(area->pages, iommufd_area_first_index(area),
				iommufd_area_last_index(area), &requester,
				pinned);
	area->pinned = !ret;
	if (!ret)
		atomic_long_add(iommufd_area_npages(area), &ioas->pinned);
	return ret;
}

static void area_unuse(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);

	if (!area->pinned)
		return;
	area->pinned = false;
	atomic_long_sub(iommufd_area_npages(area), &ioas->pinned);
	iommufd_pages_unuse(area->pages, iommufd_area_first_index(area),
			    iommufd_area_last_index(area), &requester);
}

static void unmap_and_flush(struct iommufd_hwpt_paging *hwpt,
			    struct iommufd_area *area)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	iommufd_hwpt_unmap_area(hwpt, area, &gather);
	iommu_iotlb_sync(hwpt->common.domain, &gather);
}

static void clear_area(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct iommufd_hwpt_paging *hwpt;

	list_for_each_entry(hwpt, &ioas->hwpts, node)
		unmap_and_flush(hwpt, area);
	mutex_lock(&area->pages->lock);
	area_unuse(ioas, area);
	mutex_unlock(&area->pages->lock);
}

/* For a request that is observed. Both together cost the others one branch. */
static void __cold trace_lock_pages(struct iommufd_pages *pages,
				    struct iommufd_map_stats *stats)
{
	iommufd_trace_wait(iommufd_ioas_map, stats, mutex_trylock(&pages->lock),
			   (mutex_lock(&pages->lock), 0));
	iommufd_trace_mark(iommufd_ioas_map, stats);
}

/* Pin an area and write it into all page tables. */
static int fill_area(struct iommufd_ioas *ioas, struct iommufd_area *area,
		     struct iommufd_map_stats *stats)
{
	struct iommufd_hwpt_paging *hwpt;
	unsigned long pinned = 0;
	u64 runs;
	int ret;

	if (trace_iommufd_ioas_map_enabled())
		trace_lock_pages(area->pages, stats);
	else
		mutex_lock(&area->pages->lock);
	ret = area_use(ioas, area, &pinned);
	iommufd_trace_lap(iommufd_ioas_map, stats, &stats->pin_ns);
	if (ret)
		goto unlock;

	stats->domains = 0;
	list_for_each_entry(hwpt, &ioas->hwpts, node) {
		runs = 0;
		ret = iommufd_hwpt_map_area(hwpt, area, &runs);
		if (ret)
			goto undo;
		stats->domains++;
	}
	iommufd_trace_lap(iommufd_ioas_map, stats, &stats->map_ns);
	stats->runs += runs;
	stats->pinned += pinned;
	goto unlock;

undo:
	list_for_each_entry_continue_reverse(hwpt, &ioas->hwpts, node)
		unmap_and_flush(hwpt, area);
	area_unuse(ioas, area);
unlock:
	mutex_unlock(&area->pages->lock);
	return ret;
}

static int fill_areas(struct iommufd_ioas *ioas, struct list_head *areas,
		      struct iommufd_map_stats *stats)
{
	struct iommufd_area *area;
	int ret;

	/* Without page tables nothing needs to be pinned. */
	if (list_empty(&ioas->hwpts))
		return 0;

	list_for_each_entry(area, areas, list) {
		ret = fill_area(ioas, area, stats);
		if (ret)
			goto undo;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(area, areas, list)
		clear_area(ioas, area);
	stats->runs = 0;
	stats->pinned = 0;
	stats->domains = 0;
	return ret;
}

/*
 * The lowest place where IOVA and memory have the same offset in the largest
 * page that the mapping could use, be it as large as CPUs have; where there is
 * none, in a smaller one. The smallest only counts where the user has said what
 * is allowed: else it is a sign that all of the space is used or reserved.
 */
static int find_place(struct iommufd_space *space, unsigned long memory,
		      unsigned long length, unsigned long *iova)
{
	unsigned long least = max(space->alignment, PAGE_SIZE);
	unsigned long align = clamp(rounddown_pow_of_two(length), least,
				    PUD_SIZE);
	int ret;

	for (;;) {
		ret = iommufd_space_find(space, length, align,
					 memory & (align - 1), iova);
		if (ret != -ENOSPC || align == least)
			return ret;
		if (align <= PMD_SIZE &&
		    RB_EMPTY_ROOT(&space->allowed.rb_root))
			return ret;
		align = align > PMD_SIZE ? max(PMD_SIZE, least) : least;
	}
}

static int place_area(struct iommufd_space *space, struct iommufd_area *area,
		      unsigned long iova)
{
	/* DMA starts at the same byte of a page as the memory does. */
	if (!IS_ALIGNED(area->offset, space->alignment))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_MEMORY_ALIGNMENT,
				    area->offset, space->alignment);
	return iommufd_space_insert(space, area, iova,
				    iommufd_area_length(area));
}

/* Put areas one behind the other, all or none. */
static int place_areas(struct iommufd_ioas *ioas, struct list_head *areas,
		       u32 flags, unsigned long *iova)
{
	struct iommufd_area *area = list_first_entry(areas,
						     struct iommufd_area, list);
	unsigned long memory = area->pages->start + area->offset;
	unsigned long place, length = 0;
	int ret;

	lockdep_assert_held(&ioas->space_lock);

	if (!(flags & IOMMU_IOAS_MAP_FIXED_IOVA)) {
		list_for_each_entry(area, areas, list)
			length += iommufd_area_length(area);
		ret = find_place(&ioas->space, memory, length, iova);
		if (ret)
			return ret;
	}

	place = *iova;
	list_for_each_entry(area, areas, list) {
		ret = place_area(&ioas->space, area, place);
		if (ret)
			goto undo;
		place = area->last + 1;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(area, areas, list)
		iommufd_space_remove(&ioas->space, area);
	return ret;
}

static int dma_prot(u32 flags)
{
	/* Devices that are not coherent are not bound. */
	int prot = IOMMU_CACHE;

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
	area->prot = dma_prot(flags);
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
 * iommufd_ioas_map_areas - map areas one behind the other
 * @ioas: the IOAS
 * @areas: the areas, at least one; taken over on success
 * @iova: the address with IOMMU_IOAS_MAP_FIXED_IOVA, else set to it
 * @flags: enum iommufd_ioas_map_flags
 * @stats: filled in
 *
 * Without page tables nothing is pinned: errors of the memory come out when a
 * device is attached.
 *
 * Returns 0 or a negative errno: those of iommufd_space_insert(),
 * iommufd_space_find(), iommufd_pages_use() and iommufd_hwpt_map_area(), or
 * -EINTR if the caller was killed. Nothing is changed on failure.
 */
int iommufd_ioas_map_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			   unsigned long *iova, u32 flags,
			   struct iommufd_map_stats *stats)
{
	u64 nr_areas = 0, bytes = 0;
	struct iommufd_area *area;
	int ret;

	ret = iommufd_trace_wait(iommufd_ioas_map, stats,
				 down_read_trylock(&ioas->hwpts_rwsem),
				 down_read_killable(&ioas->hwpts_rwsem));
	if (ret)
		return ret;
	iommufd_trace_wait(iommufd_ioas_map, stats,
			   mutex_trylock(&ioas->space_lock),
			   (mutex_lock(&ioas->space_lock), 0));
	ret = place_areas(ioas, areas, flags, iova);
	mutex_unlock(&ioas->space_lock);
	if (ret)
		goto up;

	ret = fill_areas(ioas, areas, stats);

	mutex_lock(&ioas->space_lock);
	list_for_each_entry(area, areas, list) {
		if (ret) {
			iommufd_space_remove(&ioas->space, area);
			continue;
		}
		area->state = IOMMUFD_AREA_MAPPED;
		nr_areas++;
		bytes += iommufd_area_length(area);
	}
	if (!ret) {
		INIT_LIST_HEAD(areas);
		stats->seq = iommufd_ioas_count(ioas, true, nr_areas, bytes);
	}
	mutex_unlock(&ioas->space_lock);
up:
	up_read(&ioas->hwpts_rwsem);
	return ret;
}

#define for_each_area(area, ioas) \
	iommufd_space_for_each(area, &(ioas)->space, 0, ULONG_MAX)

/* The addresses that a page table can't translate. */
static int reserve_outside(struct iommufd_space *space,
			   struct iommu_domain *domain, void *owner)
{
	struct iommu_domain_geometry *geometry = &domain->geometry;
	int ret = 0;

	if (!geometry->force_aperture)
		return 0;
	if (geometry->aperture_start)
		ret = iommufd_space_reserve(space, 0,
					    geometry->aperture_start - 1,
					    owner, true);
	if (!ret && geometry->aperture_end < ULONG_MAX)
		ret = iommufd_space_reserve(space, geometry->aperture_end + 1,
					    ULONG_MAX, owner, true);
	if (ret)
		iommufd_space_unreserve(space, owner);
	return ret;
}

/**
 * iommufd_ioas_check_alignment - whether all areas keep an alignment
 * @ioas: the IOAS, whose hwpts_rwsem is held for writing
 * @alignment: power of two
 *
 * Returns 0, -EADDRINUSE if one does not, or -EINVAL if none can be asked to.
 */
int iommufd_ioas_check_alignment(struct iommufd_ioas *ioas,
				 unsigned long alignment)
{
	struct iommufd_area *area;

	lockdep_assert_held_write(&ioas->hwpts_rwsem);

	/* Pages are pinned and mapped by PAGE_SIZE at the largest. */
	if (alignment > PAGE_SIZE)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_HWPT_PAGE_SIZE,
				    alignment, PAGE_SIZE);
	for_each_area(area, ioas) {
		if (!IS_ALIGNED(area->iova | iommufd_area_length(area) |
					area->offset,
				alignment))
			return iommufd_fail(-EADDRINUSE,
					    IOMMUFD_REASON_IOVA_ALIGNMENT,
					    area->iova, alignment);
	}
	return 0;
}

static unsigned long access_alignment(struct iommufd_ioas *ioas)
{
	struct iommufd_access *access;
	unsigned long id;

	/* A page that is pinned whole must be of one area. */
	xa_for_each(&ioas->accesses, id, access)
		if (iommufd_access_pins(access))
			return PAGE_SIZE;
	return 1;
}

/**
 * iommufd_ioas_update_alignment - find out what areas must be aligned to
 * @ioas: the IOAS, whose hwpts_rwsem is held for writing
 */
void iommufd_ioas_update_alignment(struct iommufd_ioas *ioas)
{
	unsigned long alignment = ioas->large_pages ? 1 : PAGE_SIZE;
	struct iommufd_hwpt_paging *hwpt;

	lockdep_assert_held_write(&ioas->hwpts_rwsem);

	alignment = max(alignment, access_alignment(ioas));
	list_for_each_entry(hwpt, &ioas->hwpts, node)
		alignment = max(alignment, iommufd_hwpt_smallest_page(hwpt));
	ioas->space.alignment = alignment;
}

/* Take areas below @end out of a page table that is not in the list, and give
 * their pages back if no page table is left.
 */
static void clear_hwpt(struct iommufd_ioas *ioas,
		       struct iommufd_hwpt_paging *hwpt,
		       struct iommufd_area *end)
{
	bool unpin = list_empty(&ioas->hwpts);
	struct iommu_iotlb_gather gather;
	struct iommufd_area *area;

	iommu_iotlb_gather_init(&gather);
	for_each_area(area, ioas) {
		if (area == end)
			break;
		iommufd_hwpt_unmap_area(hwpt, area, &gather);
	}
	iommu_iotlb_sync(hwpt->common.domain, &gather);

	if (!unpin)
		return;
	for_each_area(area, ioas) {
		if (area == end)
			break;
		mutex_lock(&area->pages->lock);
		area_unuse(ioas, area);
		mutex_unlock(&area->pages->lock);
	}
}

static int fill_hwpt(struct iommufd_ioas *ioas,
		     struct iommufd_hwpt_paging *hwpt)
{
	struct iommufd_area *area;
	unsigned long pinned = 0;
	u64 runs = 0;
	int ret;

	for_each_area(area, ioas) {
		mutex_lock(&area->pages->lock);
		ret = area_use(ioas, area, &pinned);
		if (!ret) {
			ret = iommufd_hwpt_map_area(hwpt, area, &runs);
			if (ret && list_empty(&ioas->hwpts))
				area_unuse(ioas, area);
		}
		mutex_unlock(&area->pages->lock);
		if (ret) {
			clear_hwpt(ioas, hwpt, area);
			return ret;
		}
	}
	return 0;
}

/**
 * iommufd_ioas_add_hwpt - make a page table follow an IOAS
 * @ioas: the IOAS
 * @hwpt: the page table, empty
 *
 * All that is mapped is mapped into the page table too, and pinned if it is the
 * first.
 *
 * Returns 0, -EADDRINUSE if an area is outside its aperture or not aligned to
 * its pages, -EINVAL if its pages are too large, or those of
 * iommufd_pages_use() and iommufd_hwpt_map_area(). Nothing is changed on
 * failure.
 */
int iommufd_ioas_add_hwpt(struct iommufd_ioas *ioas,
			  struct iommufd_hwpt_paging *hwpt)
{
	int ret;

	ret = down_write_killable(&ioas->hwpts_rwsem);
	if (ret)
		return ret;
	ret = iommufd_ioas_check_alignment(ioas,
					   iommufd_hwpt_smallest_page(hwpt));
	if (!ret)
		ret = reserve_outside(&ioas->space, hwpt->common.domain, hwpt);
	if (!ret) {
		ret = fill_hwpt(ioas, hwpt);
		if (ret)
			iommufd_space_unreserve(&ioas->space, hwpt);
	}
	if (!ret) {
		list_add_tail(&hwpt->node, &ioas->hwpts);
		iommufd_ioas_update_alignment(ioas);
	}
	up_write(&ioas->hwpts_rwsem);
	return ret;
}

/**
 * iommufd_ioas_remove_hwpt - a page table no longer follows an IOAS
 * @ioas: the IOAS
 * @hwpt: the page table, to which no device is attached; empty afterwards
 *
 * Pages are unpinned if it was the last.
 */
void iommufd_ioas_remove_hwpt(struct iommufd_ioas *ioas,
			      struct iommufd_hwpt_paging *hwpt)
{
	down_write(&ioas->hwpts_rwsem);
	list_del(&hwpt->node);
	clear_hwpt(ioas, hwpt, NULL);
	iommufd_space_unreserve(&ioas->space, hwpt);
	iommufd_ioas_update_alignment(ioas);
	up_write(&ioas->hwpts_rwsem);
}

/**
 * iommufd_ioas_set_large_pages - whether page tables may use large pages
 * @ioas: the IOAS
 * @enable: they may; else all is mapped by PAGE_SIZE
 *
 * Returns 0, -EINVAL if that would have to change what is in a page table,
 * -EADDRINUSE if an area is not aligned to PAGE_SIZE, or -EINTR if the caller
 * was killed.
 */
int iommufd_ioas_set_large_pages(struct iommufd_ioas *ioas, bool enable)
{
	int ret;

	ret = down_write_killable(&ioas->hwpts_rwsem);
	if (ret)
		return ret;
	if (!enable && ioas->large_pages) {
		if (!list_empty(&ioas->hwpts) &&
		    !RB_EMPTY_ROOT(&ioas->space.areas))
			ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_NOT_EMPTY,
					   enable, 0);
		else
			ret = iommufd_ioas_check_alignment(ioas, PAGE_SIZE);
	}
	if (!ret) {
		ioas->large_pages = enable;
		iommufd_ioas_update_alignment(ioas);
	}
	up_write(&ioas->hwpts_rwsem);
	return ret;
}
