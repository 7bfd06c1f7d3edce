// SPDX-License-Identifier: GPL-2.0-only
/*
 * Splits areas. Only version 1 of VFIO type1 needs this, as it allows a part of
 * a mapping to be unmapped. Page tables are not changed: an area is split only
 * if they have small pages throughout.
 */
#include "ioas/hold.h"
#include "ioas/ioas.h"
#include "pages/pages.h"
#include "trace/fail.h"

/*
 * The area that @iova would split, or NULL. The area stays mapped, as an unmap
 * needs the unmap_lock, which the caller holds.
 */
static struct iommufd_area *find_across(struct iommufd_ioas *ioas,
					unsigned long iova)
{
	struct iommufd_area *area;

	lockdep_assert_held(&ioas->unmap_lock);

	mutex_lock(&ioas->space_lock);
	area = iommufd_space_first(&ioas->space, iova, iova);
	if (area &&
	    (area->iova == iova || area->state != IOMMUFD_AREA_MAPPED))
		area = NULL;
	mutex_unlock(&ioas->space_lock);
	return area;
}

/* Drivers' pins are counted per area, so an area with pins can't be split. */
static int insert_tail(struct iommufd_ioas *ioas, struct iommufd_area *area,
		       struct iommufd_area *tail, unsigned long iova)
{
	int ret;

	mutex_lock(&ioas->space_lock);
	if (area->pins) {
		ret = iommufd_fail(-EBUSY, IOMMUFD_REASON_PAGES_PINNED,
				   area->iova, area->last);
	} else {
		iommufd_space_split(&ioas->space, area, tail, iova);
		tail->state = IOMMUFD_AREA_MAPPED;
		tail->prot = area->prot;
		tail->pinned = area->pinned;
		iommufd_ioas_split_holds(ioas, area, tail);
		iommufd_ioas_count_split(ioas);
		ret = 0;
	}
	mutex_unlock(&ioas->space_lock);
	return ret;
}

static int split_locked(struct iommufd_ioas *ioas, struct iommufd_area *area,
			unsigned long iova)
{
	unsigned long offset = area->offset + (iova - area->iova);
	struct iommufd_pages *pages = area->pages;
	struct iommufd_area *tail;
	int ret = 0;

	lockdep_assert_held(&ioas->domains_rwsem);

	if (ioas->large_pages)
		return 0;
	/* The exporter of a dma-buf tracks each mapping as a whole. */
	if (!IS_ALIGNED(iova, READ_ONCE(ioas->space.alignment)) ||
	    !iommufd_pages_are_memory(pages))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_PARTIAL_UNMAP,
				    area->iova, area->last);
	tail = iommufd_area_alloc(pages, offset, area->last - iova + 1, 0);
	if (IS_ERR(tail))
		return PTR_ERR(tail);

	/* From here on each part pins its own pages. */
	mutex_lock(&pages->lock);
	if (area->pinned)
		ret = iommufd_pages_split_at(pages, offset >> PAGE_SHIFT);
	if (!ret)
		ret = insert_tail(ioas, area, tail, iova);
	mutex_unlock(&pages->lock);
	if (ret)
		iommufd_area_free(tail);
	return ret;
}

static int split_area(struct iommufd_ioas *ioas, struct iommufd_area *area,
		      unsigned long iova)
{
	struct iommufd_pages *pages = area->pages;
	int ret;

	ret = mutex_lock_killable(&pages->pin_lock);
	if (ret)
		return ret;
	ret = down_read_killable(&ioas->domains_rwsem);
	if (!ret) {
		ret = split_locked(ioas, area, iova);
		up_read(&ioas->domains_rwsem);
	}
	mutex_unlock(&pages->pin_lock);
	return ret;
}

static int split_at(struct iommufd_ioas *ioas, unsigned long iova)
{
	struct iommufd_area *area = find_across(ioas, iova);

	return area ? split_area(ioas, area, iova) : 0;
}

/**
 * iommufd_ioas_split - split the areas that cross a boundary of a range
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last: last address of the range
 *
 * Does nothing if page tables may use large pages. If the split at the end
 * fails, the one at the start stays. User space can't notice, except that
 * IOMMU_IOAS_UNMAP of a part succeeds.
 *
 * Return: 0, -EINVAL if an area can't be split there, -EBUSY if a kernel driver
 * has pages of an area pinned, -ENOMEM, or -EINTR if the caller was killed.
 */
int iommufd_ioas_split(struct iommufd_ioas *ioas, unsigned long iova,
		       unsigned long last)
{
	int ret;

	/* This may change at any time; it is checked again under the lock. */
	if (READ_ONCE(ioas->large_pages))
		return 0;
	ret = mutex_lock_killable(&ioas->unmap_lock);
	if (ret)
		return ret;
	ret = split_at(ioas, iova);
	if (!ret && last != ULONG_MAX)
		ret = split_at(ioas, last + 1);
	mutex_unlock(&ioas->unmap_lock);
	return ret;
}
