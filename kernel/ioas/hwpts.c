// SPDX-License-Identifier: GPL-2.0-only
/*
 * The set of page tables that follow an IOAS.
 */
#include <linux/iommu.h>

#include "device/access.h"
#include "hwpt/hwpt.h"
#include "ioas/hold.h"
#include "ioas/ioas.h"
#include "pages/pages.h"
#include "trace/fail.h"

/**
 * iommufd_ioas_check_alignment - whether all areas keep an alignment
 * @ioas: the IOAS, whose space_lock is held
 * @alignment: power of two
 *
 * Returns 0, -EADDRINUSE if one does not, or -EINVAL if none can be asked to.
 */
int iommufd_ioas_check_alignment(struct iommufd_ioas *ioas,
				 unsigned long alignment)
{
	struct iommufd_area *area;

	lockdep_assert_held(&ioas->space_lock);

	/* Pages are pinned and mapped by PAGE_SIZE at the largest. */
	if (alignment > PAGE_SIZE)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_HWPT_PAGE_SIZE,
				    alignment, PAGE_SIZE);
	iommufd_space_for_each(area, &ioas->space, 0, ULONG_MAX) {
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
 * @ioas: the IOAS, whose space_lock is held; the set of page tables does not
 *	change, nor does that of accesses
 */
void iommufd_ioas_update_alignment(struct iommufd_ioas *ioas)
{
	unsigned long alignment = ioas->large_pages ? 1 : PAGE_SIZE;
	struct iommufd_hwpt_paging *hwpt;

	lockdep_assert_held(&ioas->space_lock);

	alignment = max(alignment, access_alignment(ioas));
	list_for_each_entry(hwpt, &ioas->hwpts, node)
		alignment = max(alignment, iommufd_hwpt_smallest_page(hwpt));
	ioas->space.alignment = alignment;
}

/*
 * The next area that page tables have, or are to get. An area that is being
 * mapped is not one of them: its request looks at the set of page tables later.
 */
static struct iommufd_area *next_area(struct iommufd_ioas *ioas,
				      struct iommufd_area *area)
{
	lockdep_assert_held_write(&ioas->hwpts_rwsem);

	mutex_lock(&ioas->space_lock);
	do {
		area = area ? iommufd_area_next(area, ULONG_MAX) :
			      iommufd_space_first(&ioas->space, 0, ULONG_MAX);
	} while (area && area->state == IOMMUFD_AREA_MAPPING);
	mutex_unlock(&ioas->space_lock);
	return area;
}

#define for_each_area(area, ioas) \
	for (area = next_area(ioas, NULL); area; area = next_area(ioas, area))

/* Take areas below @end out of a page table. */
static void clear_hwpt(struct iommufd_ioas *ioas,
		       struct iommufd_hwpt_paging *hwpt,
		       struct iommufd_area *end)
{
	struct iommu_iotlb_gather gather;
	struct iommufd_area *area;

	iommu_iotlb_gather_init(&gather);
	for_each_area(area, ioas) {
		if (area == end)
			break;
		iommufd_hwpt_unmap_area(hwpt, area, &gather);
	}
	iommu_iotlb_sync(hwpt->common.domain, &gather);
}

/* Write all areas, which are pinned, into a page table. */
static int fill_hwpt(struct iommufd_ioas *ioas,
		     struct iommufd_hwpt_paging *hwpt)
{
	struct iommufd_area *area;
	u64 runs = 0;
	int ret;

	for_each_area(area, ioas) {
		mutex_lock(&area->pages->lock);
		ret = iommufd_hwpt_map_area(hwpt, area, &runs);
		mutex_unlock(&area->pages->lock);
		if (ret) {
			clear_hwpt(ioas, hwpt, area);
			return ret;
		}
	}
	return 0;
}

static int pin_area(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct iommufd_pages *pages = area->pages;
	unsigned long pinned = 0;
	int ret;

	ret = mutex_lock_killable(&pages->pin_lock);
	if (ret)
		return ret;
	ret = iommufd_area_pin(ioas, area, &pinned);
	mutex_unlock(&pages->pin_lock);
	return ret;
}

static int wait_for_unmap(struct iommufd_ioas *ioas)
{
	int ret = mutex_lock_killable(&ioas->unmap_lock);

	if (!ret)
		mutex_unlock(&ioas->unmap_lock);
	return ret;
}

/* Pin all areas. Those that are mapped meanwhile are pinned already. */
static int pin_areas(struct iommufd_ioas *ioas)
{
	struct iommufd_area *area;
	struct iommufd_hold hold;
	unsigned long iova = 0;
	int ret;

	while ((ret = iommufd_ioas_hold_unpinned(ioas, iova, &hold, &area))) {
		if (ret == -EAGAIN) {
			/* It is gone after that, or stays and is pinned. */
			ret = wait_for_unmap(ioas);
		} else {
			ret = pin_area(ioas, area);
			iova = hold.last;
			iommufd_ioas_release(ioas, &hold);
		}
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Pages stay pinned for as long as there is a page table, or one is being added.
 * Both take the lock for a moment only: nothing waits for a page fault here.
 */
static int add_follower(struct iommufd_ioas *ioas)
{
	int ret = down_write_killable(&ioas->hwpts_rwsem);

	if (ret)
		return ret;
	ioas->followers++;
	up_write(&ioas->hwpts_rwsem);
	return 0;
}

static void drop_follower(struct iommufd_ioas *ioas)
{
	struct iommufd_area *area;

	lockdep_assert_held_write(&ioas->hwpts_rwsem);

	if (--ioas->followers)
		return;
	for_each_area(area, ioas)
		iommufd_area_unpin(ioas, area);
}

/* What is mapped must suit the page table, and from now on has to. */
static int list_hwpt(struct iommufd_ioas *ioas,
		     struct iommufd_hwpt_paging *hwpt)
{
	int ret;

	mutex_lock(&ioas->space_lock);
	ret = iommufd_ioas_check_alignment(ioas,
					   iommufd_hwpt_smallest_page(hwpt));
	if (!ret)
		ret = iommufd_space_reserve_outside(&ioas->space,
						    hwpt->common.domain, hwpt);
	if (!ret) {
		list_add_tail(&hwpt->node, &ioas->hwpts);
		iommufd_ioas_update_alignment(ioas);
	}
	mutex_unlock(&ioas->space_lock);
	return ret;
}

static void unlist_hwpt(struct iommufd_ioas *ioas,
			struct iommufd_hwpt_paging *hwpt)
{
	mutex_lock(&ioas->space_lock);
	list_del_init(&hwpt->node);
	iommufd_space_unreserve(&ioas->space, hwpt);
	iommufd_ioas_update_alignment(ioas);
	mutex_unlock(&ioas->space_lock);
}

/**
 * iommufd_ioas_add_hwpt - make a page table follow an IOAS
 * @ioas: the IOAS
 * @hwpt: the page table, empty
 *
 * All that is mapped is pinned, then mapped into the page table too. Only what
 * needs the same pages waits until they are pinned.
 *
 * Returns 0, -EADDRINUSE if an area is outside its aperture or not aligned to
 * its pages, -EINVAL if its pages are too large, -EINTR if the caller was
 * killed, or those of iommufd_pages_use() and iommufd_hwpt_map_area(). Nothing
 * is changed on failure.
 */
int iommufd_ioas_add_hwpt(struct iommufd_ioas *ioas,
			  struct iommufd_hwpt_paging *hwpt)
{
	int ret;

	ret = add_follower(ioas);
	if (ret)
		return ret;
	ret = pin_areas(ioas);
	down_write(&ioas->hwpts_rwsem);
	if (!ret)
		ret = list_hwpt(ioas, hwpt);
	if (!ret) {
		ret = fill_hwpt(ioas, hwpt);
		if (ret)
			unlist_hwpt(ioas, hwpt);
	}
	if (ret)
		drop_follower(ioas);
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
	unlist_hwpt(ioas, hwpt);
	clear_hwpt(ioas, hwpt, NULL);
	drop_follower(ioas);
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
	mutex_lock(&ioas->space_lock);
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
	mutex_unlock(&ioas->space_lock);
	up_write(&ioas->hwpts_rwsem);
	return ret;
}
