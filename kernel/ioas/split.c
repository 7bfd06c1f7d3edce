// SPDX-License-Identifier: GPL-2.0-only
/*
 * Splits areas. Only version 1 of VFIO type1 needs this, as it allows a part of
 * a mapping to be unmapped. Page tables are not changed: an area is split only
 * if they have small pages throughout.
 */
#include "ioas/area.h"
#include "ioas/ioas.h"
#include "ioas/range_ref.h"
#include "ioas/unmap.h"
#include "pages/pages.h"
#include "trace/fail.h"

/* Drivers' pins are counted per area, so an area with pins can't be split. */
static int insert_tail(struct iommufd_ioas *ioas, struct iommufd_area *area,
		       struct iommufd_area *tail, unsigned long iova)
{
	int ret;

	mutex_lock(&ioas->iova_lock);
	if (iommufd_area_state(area) != IOMMUFD_AREA_MAPPED) {
		/* The unmap waits for the caller, but has the area as it is. */
		ret = -EAGAIN;
	} else if (area->pins) {
		ret = iommufd_fail(-EBUSY, IOMMUFD_REASON_PAGES_PINNED,
				   area->iova, area->last);
	} else {
		iommufd_iova_map_split(&ioas->iovas, area, tail, iova);
		tail->state = IOMMUFD_AREA_MAPPED;
		tail->prot = area->prot;
		tail->pinned = area->pinned;
		iommufd_ioas_split_refs(ioas, area, tail);
		iommufd_ioas_count_split(ioas);
		ret = 0;
	}
	mutex_unlock(&ioas->iova_lock);
	return ret;
}

/*
 * The area of @pages that @iova would split, or NULL. It stays as it is: the
 * caller has a reference to the range, and a split needs the pin_lock of @pages.
 */
static struct iommufd_area *find_across(struct iommufd_ioas *ioas,
					struct iommufd_pages *pages,
					unsigned long iova)
{
	struct iommufd_area *area;

	lockdep_assert_held(&pages->pin_lock);

	mutex_lock(&ioas->iova_lock);
	area = iommufd_iova_map_first(&ioas->iovas, iova, iova);
	mutex_unlock(&ioas->iova_lock);
	return !WARN_ON(!area) && area->iova != iova ? area : NULL;
}

static int split_locked(struct iommufd_ioas *ioas, struct iommufd_pages *pages,
			unsigned long iova)
{
	struct iommufd_area *area = find_across(ioas, pages, iova);
	struct iommufd_area *tail;
	unsigned long offset;
	int ret = 0;

	lockdep_assert_held(&ioas->domains_rwsem);

	if (ioas->large_pages || !area)
		return 0;
	/* The exporter of a dma-buf tracks each mapping as a whole. */
	if (!IS_ALIGNED(iova, READ_ONCE(ioas->iovas.alignment)) ||
	    !iommufd_pages_are_memory(pages))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_PARTIAL_UNMAP,
				    area->iova, area->last);
	offset = area->offset + (iova - area->iova);
	tail = iommufd_area_alloc(iommufd_pages_get(pages), offset,
				  area->last - iova + 1, 0);
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

static int split_pages(struct iommufd_ioas *ioas, struct iommufd_pages *pages,
		       unsigned long iova)
{
	int ret;

	ret = mutex_lock_killable(&pages->pin_lock);
	if (ret)
		return ret;
	ret = down_read_killable(&ioas->domains_rwsem);
	if (!ret) {
		ret = split_locked(ioas, pages, iova);
		up_read(&ioas->domains_rwsem);
	}
	mutex_unlock(&pages->pin_lock);
	return ret;
}

/*
 * Split the area that has both @iova and the address before it, if any. A
 * reference to both keeps them mapped while the pages are locked.
 */
static int split_across(struct iommufd_ioas *ioas, unsigned long iova)
{
	struct iommufd_area_part part;
	struct iommufd_range_ref ref;
	int ret = 0;

	/* If another unmap has just begun, the caller's unmap waits for it. */
	if (iommufd_ioas_get_range(ioas, iova - 1, iova, 0, &ref, &part))
		return 0;
	if (part.last == iova)
		ret = split_pages(ioas, part.area->pages, iova);
	iommufd_ioas_put_range(ioas, &ref);
	return ret;
}

static int split_at(struct iommufd_ioas *ioas, unsigned long iova)
{
	int ret;

	if (!iova)
		return 0;
	do {
		ret = iommufd_ioas_wait_unmapped(ioas, iova - 1, iova);
		if (!ret)
			ret = split_across(ioas, iova);
	} while (ret == -EAGAIN);
	return ret;
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
	ret = split_at(ioas, iova);
	if (!ret && last != ULONG_MAX)
		ret = split_at(ioas, last + 1);
	return ret;
}
