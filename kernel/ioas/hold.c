// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps areas from being unmapped while somebody in the kernel uses them.
 */
#include <linux/iommu.h>

#include "ioas/hold.h"
#include "ioas/ioas.h"
#include "trace/fail.h"

static struct iommufd_area_part part_of(struct iommufd_area *area,
					unsigned long iova, unsigned long last)
{
	return (struct iommufd_area_part){
		.area = area,
		.iova = max(iova, area->iova),
		.last = min(last, area->last),
	};
}

/* Whether areas cover a range without a hole and allow what is asked for. */
static int check_range(struct iommufd_ioas *ioas, unsigned long iova,
		       unsigned long last, int prot)
{
	struct iommufd_area *area;

	iommufd_space_for_each(area, &ioas->space, iova, last) {
		if (area->iova > iova || area->state != IOMMUFD_AREA_MAPPED)
			break;
		if ((area->prot & prot) != prot)
			return iommufd_fail(-EPERM,
					    IOMMUFD_REASON_MAPPING_RIGHTS,
					    area->prot & (IOMMU_READ |
							  IOMMU_WRITE),
					    prot);
		if (area->last >= last)
			return 0;
		iova = area->last + 1;
	}
	return iommufd_fail(-ENOENT, IOMMUFD_REASON_NOT_MAPPED, iova,
			    last - iova + 1);
}

/*
 * Each area is held by the number of pages: a driver may let go of them in
 * other pieces than those in which it took them.
 */
static void hold_area(struct iommufd_area *area, unsigned long iova,
		      unsigned long last)
{
	struct iommufd_area_part part = part_of(area, iova, last);

	area->held += iommufd_part_npages(&part);
}

/**
 * iommufd_ioas_hold - hold all of a range
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 * @prot: what the mapping must allow: IOMMU_READ, IOMMU_WRITE
 * @first: set to what the range has of its first area
 *
 * Ended with iommufd_ioas_release().
 *
 * Returns 0, -ENOENT if not all of the range is mapped, or -EPERM.
 */
int iommufd_ioas_hold(struct iommufd_ioas *ioas, unsigned long iova,
		      unsigned long last, int prot,
		      struct iommufd_area_part *first)
{
	struct iommufd_area *area;
	int ret;

	mutex_lock(&ioas->space_lock);
	ret = check_range(ioas, iova, last, prot);
	if (ret)
		goto unlock;
	iommufd_space_for_each(area, &ioas->space, iova, last)
		hold_area(area, iova, last);
	area = iommufd_space_first(&ioas->space, iova, last);
	*first = part_of(area, iova, last);
unlock:
	mutex_unlock(&ioas->space_lock);
	return ret;
}

/**
 * iommufd_ioas_hold_first - hold the first piece of a range that is mapped
 * @ioas: the IOAS
 * @iova: first address of the range, set to that of the piece
 * @last: last address of the range, set to that of the piece
 *
 * The piece has no hole, so that all areas in it are held, and it ends where no
 * area is or one that can't be held. Ended with iommufd_ioas_release().
 *
 * Returns false if there is none.
 */
bool iommufd_ioas_hold_first(struct iommufd_ioas *ioas, unsigned long *iova,
			     unsigned long *last)
{
	struct iommufd_area *area;
	struct iommufd_area_part part = {};

	mutex_lock(&ioas->space_lock);
	iommufd_space_for_each(area, &ioas->space, *iova, *last) {
		if (area->state != IOMMUFD_AREA_MAPPED ||
		    (part.area && area->iova != part.last + 1)) {
			if (part.area)
				break;
			continue;
		}
		hold_area(area, *iova, *last);
		if (!part.area)
			part = part_of(area, *iova, *last);
		part.last = min(area->last, *last);
	}
	mutex_unlock(&ioas->space_lock);
	if (!part.area)
		return false;
	*iova = part.iova;
	*last = part.last;
	return true;
}

/**
 * iommufd_ioas_release - let go of a range
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address; all of the range is held
 */
void iommufd_ioas_release(struct iommufd_ioas *ioas, unsigned long iova,
			  unsigned long last)
{
	struct iommufd_area_part part;
	struct iommufd_area *area;
	unsigned long npages;

	mutex_lock(&ioas->space_lock);
	iommufd_space_for_each(area, &ioas->space, iova, last) {
		part = part_of(area, iova, last);
		npages = iommufd_part_npages(&part);
		if (WARN_ON(area->held < npages))
			continue;
		WRITE_ONCE(area->held, area->held - npages);
	}
	mutex_unlock(&ioas->space_lock);
	if (wq_has_sleeper(&ioas->released))
		wake_up_all(&ioas->released);
}

/**
 * iommufd_ioas_first_part - what a range has of its first area
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address; all of the range is held
 */
struct iommufd_area_part iommufd_ioas_first_part(struct iommufd_ioas *ioas,
						 unsigned long iova,
						 unsigned long last)
{
	struct iommufd_area *area;

	mutex_lock(&ioas->space_lock);
	area = iommufd_space_first(&ioas->space, iova, last);
	mutex_unlock(&ioas->space_lock);
	return area ? part_of(area, iova, last) : (struct iommufd_area_part){};
}

/**
 * iommufd_ioas_next_part - what a range has of its next area
 * @ioas: the IOAS
 * @part: of the area before it, set to the next one
 * @last: last address of the range, all of which is held
 *
 * Returns false if there is none.
 */
bool iommufd_ioas_next_part(struct iommufd_ioas *ioas,
			    struct iommufd_area_part *part, unsigned long last)
{
	struct iommufd_area *area;

	mutex_lock(&ioas->space_lock);
	area = iommufd_area_next(part->area, last);
	mutex_unlock(&ioas->space_lock);
	if (area)
		*part = part_of(area, area->iova, last);
	return area;
}
