// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps areas from being unmapped while the kernel uses them: during a call, or
 * while a driver has their pages pinned.
 */
#include <linux/iommu.h>

#include "ioas/hold.h"
#include "ioas/ioas.h"
#include "pages/pages.h"
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

/* Whether areas cover a range without a hole and allow @prot. */
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

static void add_hold(struct iommufd_ioas *ioas, struct iommufd_hold *hold,
		     unsigned long iova, unsigned long last)
{
	struct iommufd_area *area;

	lockdep_assert_held(&ioas->space_lock);

	hold->iova = iova;
	hold->last = last;
	list_add(&hold->node, &ioas->holds);
	iommufd_space_for_each(area, &ioas->space, iova, last)
		area->held++;
}

/**
 * iommufd_ioas_hold - hold a whole range
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 * @prot: access the mapping must allow: IOMMU_READ, IOMMU_WRITE
 * @hold: the hold. The caller releases it with iommufd_ioas_release()
 * @first: set to the part of the first area that is in the range
 *
 * Return: 0, -ENOENT if a part of the range is not mapped, or -EPERM if the
 * mapping does not allow @prot.
 */
int iommufd_ioas_hold(struct iommufd_ioas *ioas, unsigned long iova,
		      unsigned long last, int prot, struct iommufd_hold *hold,
		      struct iommufd_area_part *first)
{
	int ret;

	mutex_lock(&ioas->space_lock);
	ret = check_range(ioas, iova, last, prot);
	if (!ret) {
		add_hold(ioas, hold, iova, last);
		*first = part_of(iommufd_space_first(&ioas->space, iova, last),
				 iova, last);
	}
	mutex_unlock(&ioas->space_lock);
	return ret;
}

/**
 * iommufd_ioas_hold_first - hold the first mapped piece of a range
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last: last address of the range
 * @hold: the piece. The caller releases it with iommufd_ioas_release()
 *
 * The piece has no hole, and all areas in it are held. It ends before the first
 * address that is not mapped or whose area can't be held.
 *
 * Return: true if a piece is held, false if nothing in the range is mapped.
 */
bool iommufd_ioas_hold_first(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last, struct iommufd_hold *hold)
{
	struct iommufd_area *area;
	struct iommufd_area_part part = {};

	mutex_lock(&ioas->space_lock);
	iommufd_space_for_each(area, &ioas->space, iova, last) {
		if (area->state != IOMMUFD_AREA_MAPPED ||
		    (part.area && area->iova != part.last + 1)) {
			if (part.area)
				break;
			continue;
		}
		if (!part.area)
			part = part_of(area, iova, last);
		part.last = min(area->last, last);
	}
	if (part.area)
		add_hold(ioas, hold, part.iova, part.last);
	mutex_unlock(&ioas->space_lock);
	return part.area;
}

/**
 * iommufd_ioas_hold_unpinned - hold the next area whose pages are not pinned
 * @ioas: the IOAS
 * @iova: address to start from
 * @hold: the whole area. The caller releases it with iommufd_ioas_release()
 * @area: set to the area
 *
 * Skips areas that are being mapped and those of dma-bufs.
 *
 * Return: 1 if an area is held, 0 if there are no more, or -EAGAIN if the next
 * one is being unmapped.
 */
int iommufd_ioas_hold_unpinned(struct iommufd_ioas *ioas, unsigned long iova,
			       struct iommufd_hold *hold,
			       struct iommufd_area **area)
{
	struct iommufd_area *each;
	int ret = 0;

	mutex_lock(&ioas->space_lock);
	iommufd_space_for_each(each, &ioas->space, iova, ULONG_MAX) {
		if (each->state == IOMMUFD_AREA_MAPPING ||
		    READ_ONCE(each->pinned) ||
		    !iommufd_pages_are_memory(each->pages))
			continue;
		ret = -EAGAIN;
		if (each->state == IOMMUFD_AREA_MAPPED) {
			add_hold(ioas, hold, each->iova, each->last);
			*area = each;
			ret = 1;
		}
		break;
	}
	mutex_unlock(&ioas->space_lock);
	return ret;
}

static void wake_unmap(struct iommufd_ioas *ioas)
{
	if (wq_has_sleeper(&ioas->released))
		wake_up_all(&ioas->released);
}

/**
 * iommufd_ioas_release - release a hold
 * @ioas: the IOAS
 * @hold: the hold
 */
void iommufd_ioas_release(struct iommufd_ioas *ioas, struct iommufd_hold *hold)
{
	struct iommufd_area *area;

	mutex_lock(&ioas->space_lock);
	list_del(&hold->node);
	iommufd_space_for_each(area, &ioas->space, hold->iova, hold->last) {
		/* Orders all use of the area before this: see any_in_use(). */
		smp_store_release(&area->held, area->held - 1);
	}
	mutex_unlock(&ioas->space_lock);
	wake_unmap(ioas);
}

static unsigned long count_holds(struct iommufd_ioas *ioas,
				 const struct iommufd_area *area)
{
	struct iommufd_hold *hold;
	unsigned long n = 0;

	list_for_each_entry(hold, &ioas->holds, node)
		if (hold->iova <= area->last && hold->last >= area->iova)
			n++;
	return n;
}

/**
 * iommufd_ioas_split_holds - distribute the holds of an area that was split
 * @ioas: the IOAS
 * @area: the area, now shortened
 * @tail: the part that was split off
 *
 * Context: The caller must hold the space_lock of @ioas.
 */
void iommufd_ioas_split_holds(struct iommufd_ioas *ioas,
			      struct iommufd_area *area,
			      struct iommufd_area *tail)
{
	lockdep_assert_held(&ioas->space_lock);

	if (!area->held)
		return;
	WRITE_ONCE(area->held, count_holds(ioas, area));
	tail->held = count_holds(ioas, tail);
}

/**
 * iommufd_ioas_get_pins - keep a range from being unmapped while it is pinned
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 * @prot: access the mapping must allow: IOMMU_READ, IOMMU_WRITE
 * @first: set to the part of the first area that is in the range
 *
 * Pins are counted per page, as a driver may unpin other ranges than it has
 * pinned. The caller ends this with iommufd_ioas_put_pins().
 *
 * Return: 0, -ENOENT if a part of the range is not mapped, or -EPERM if the
 * mapping does not allow @prot.
 */
int iommufd_ioas_get_pins(struct iommufd_ioas *ioas, unsigned long iova,
			  unsigned long last, int prot,
			  struct iommufd_area_part *first)
{
	struct iommufd_area_part part;
	struct iommufd_area *area;
	int ret;

	mutex_lock(&ioas->space_lock);
	ret = check_range(ioas, iova, last, prot);
	if (ret)
		goto unlock;
	first->area = NULL;
	iommufd_space_for_each(area, &ioas->space, iova, last) {
		part = part_of(area, iova, last);
		area->pins += iommufd_part_npages(&part);
		if (!first->area)
			*first = part;
	}
unlock:
	mutex_unlock(&ioas->space_lock);
	return ret;
}

/**
 * iommufd_ioas_put_pins - undo iommufd_ioas_get_pins()
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 */
void iommufd_ioas_put_pins(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long last)
{
	struct iommufd_area_part part;
	struct iommufd_area *area;
	unsigned long npages;

	mutex_lock(&ioas->space_lock);
	iommufd_space_for_each(area, &ioas->space, iova, last) {
		part = part_of(area, iova, last);
		npages = iommufd_part_npages(&part);
		if (WARN_ON(area->pins < npages))
			continue;
		/* Orders all use of the area before this: see any_in_use(). */
		smp_store_release(&area->pins, area->pins - npages);
	}
	mutex_unlock(&ioas->space_lock);
	wake_unmap(ioas);
}

/**
 * iommufd_ioas_first_part - get the part of the first area that is in a range
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 *
 * Context: The caller must hold the whole range, or have it pinned.
 * Return: the part; its area is NULL if there is no area in the range.
 */
struct iommufd_area_part iommufd_ioas_first_part(struct iommufd_ioas *ioas,
						 unsigned long iova,
						 unsigned long last)
{
	struct iommufd_area_part part = {};
	struct iommufd_area *area;

	mutex_lock(&ioas->space_lock);
	area = iommufd_space_first(&ioas->space, iova, last);
	if (area)
		part = part_of(area, iova, last);
	mutex_unlock(&ioas->space_lock);
	return part;
}

/**
 * iommufd_ioas_next_part - get the part of the next area that is in a range
 * @ioas: the IOAS
 * @part: the part before it, set to the next one
 * @last: last address of the range
 *
 * The area of @part may have been split since: the next part begins where @part
 * ends.
 *
 * Context: The caller must hold the whole range, or have it pinned.
 * Return: true if there is a next part.
 */
bool iommufd_ioas_next_part(struct iommufd_ioas *ioas,
			    struct iommufd_area_part *part, unsigned long last)
{
	struct iommufd_area *area;

	if (part->last >= last)
		return false;
	mutex_lock(&ioas->space_lock);
	area = iommufd_space_first(&ioas->space, part->last + 1, last);
	if (area)
		*part = part_of(area, part->last + 1, last);
	mutex_unlock(&ioas->space_lock);
	return area;
}
