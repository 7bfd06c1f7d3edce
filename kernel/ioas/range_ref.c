// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps areas from being unmapped while the kernel uses them: during a call, or
 * while a driver has their pages pinned.
 */
#include <linux/iommu.h>

#include "ioas/ioas.h"
#include "ioas/range_ref.h"
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

	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last) {
		if (area->iova > iova ||
		    iommufd_area_state(area) != IOMMUFD_AREA_MAPPED)
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

static void add_ref(struct iommufd_ioas *ioas, struct iommufd_range_ref *ref,
		    unsigned long iova, unsigned long last)
{
	struct iommufd_area *area;

	lockdep_assert_held(&ioas->iova_lock);

	ref->iova = iova;
	ref->last = last;
	list_add(&ref->node, &ioas->range_refs);
	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last)
		area->refs++;
}

/**
 * iommufd_ioas_get_range - take a reference to a whole range
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 * @prot: access the mapping must allow: IOMMU_READ, IOMMU_WRITE
 * @ref: the reference. The caller puts it with iommufd_ioas_put_range()
 * @first: set to the part of the first area that is in the range
 *
 * Return: 0, -ENOENT if a part of the range is not mapped, or -EPERM if the
 * mapping does not allow @prot.
 */
int iommufd_ioas_get_range(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long last, int prot,
			   struct iommufd_range_ref *ref,
			   struct iommufd_area_part *first)
{
	int ret;

	mutex_lock(&ioas->iova_lock);
	ret = check_range(ioas, iova, last, prot);
	if (!ret) {
		add_ref(ioas, ref, iova, last);
		*first = part_of(iommufd_iova_map_first(&ioas->iovas, iova,
							last),
				 iova, last);
	}
	mutex_unlock(&ioas->iova_lock);
	return ret;
}

/**
 * iommufd_ioas_get_piece - take a reference to the first piece of a range
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last: last address of the range
 * @ref: the piece. The caller puts it with iommufd_ioas_put_range()
 *
 * The piece has no hole, and the reference is to all areas in it. It ends
 * before the first address that is not mapped or is being unmapped.
 *
 * Return: true with a reference, false if nothing in the range is mapped.
 */
bool iommufd_ioas_get_piece(struct iommufd_ioas *ioas, unsigned long iova,
			    unsigned long last, struct iommufd_range_ref *ref)
{
	struct iommufd_area *area;
	struct iommufd_area_part part = {};

	mutex_lock(&ioas->iova_lock);
	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last) {
		if (iommufd_area_state(area) != IOMMUFD_AREA_MAPPED ||
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
		add_ref(ioas, ref, part.iova, part.last);
	mutex_unlock(&ioas->iova_lock);
	return part.area;
}

/**
 * iommufd_ioas_get_unpinned - take a reference to the next unpinned area
 * @ioas: the IOAS
 * @iova: address to start from
 * @ref: the whole area. The caller puts it with iommufd_ioas_put_range()
 * @area: set to the area
 *
 * Skips areas that are being mapped and those of dma-bufs.
 *
 * Return: 1 with a reference, 0 if there are no more areas, or -EAGAIN if the
 * next one is being unmapped. In that case @ref is only set to its range.
 */
int iommufd_ioas_get_unpinned(struct iommufd_ioas *ioas, unsigned long iova,
			      struct iommufd_range_ref *ref,
			      struct iommufd_area **area)
{
	enum iommufd_area_state state;
	struct iommufd_area *each;
	int ret = 0;

	mutex_lock(&ioas->iova_lock);
	iommufd_iova_map_for_each(each, &ioas->iovas, iova, ULONG_MAX) {
		state = iommufd_area_state(each);
		if (state == IOMMUFD_AREA_MAPPING ||
		    READ_ONCE(each->pinned) ||
		    !iommufd_pages_are_memory(each->pages))
			continue;
		if (state == IOMMUFD_AREA_MAPPED) {
			add_ref(ioas, ref, each->iova, each->last);
			*area = each;
			ret = 1;
		} else {
			ref->iova = each->iova;
			ref->last = each->last;
			ret = -EAGAIN;
		}
		break;
	}
	mutex_unlock(&ioas->iova_lock);
	return ret;
}

static void wake_unmap(struct iommufd_ioas *ioas)
{
	if (wq_has_sleeper(&ioas->released))
		wake_up_all(&ioas->released);
}

/**
 * iommufd_ioas_put_range - put a reference to a range
 * @ioas: the IOAS
 * @ref: the reference
 */
void iommufd_ioas_put_range(struct iommufd_ioas *ioas,
			    struct iommufd_range_ref *ref)
{
	struct iommufd_area *area;

	mutex_lock(&ioas->iova_lock);
	list_del(&ref->node);
	iommufd_iova_map_for_each(area, &ioas->iovas, ref->iova, ref->last) {
		/* Orders all use of the area before this: see any_in_use(). */
		smp_store_release(&area->refs, area->refs - 1);
	}
	mutex_unlock(&ioas->iova_lock);
	wake_unmap(ioas);
}

static unsigned long count_refs(struct iommufd_ioas *ioas,
				const struct iommufd_area *area)
{
	struct iommufd_range_ref *ref;
	unsigned long n = 0;

	list_for_each_entry(ref, &ioas->range_refs, node)
		if (ref->iova <= area->last && ref->last >= area->iova)
			n++;
	return n;
}

/**
 * iommufd_ioas_split_refs - distribute the references to an area that was split
 * @ioas: the IOAS
 * @area: the area, now shortened
 * @tail: the part that was split off
 *
 * Context: The caller must hold the iova_lock of @ioas.
 */
void iommufd_ioas_split_refs(struct iommufd_ioas *ioas,
			     struct iommufd_area *area,
			     struct iommufd_area *tail)
{
	lockdep_assert_held(&ioas->iova_lock);

	if (!area->refs)
		return;
	WRITE_ONCE(area->refs, count_refs(ioas, area));
	tail->refs = count_refs(ioas, tail);
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

	mutex_lock(&ioas->iova_lock);
	ret = check_range(ioas, iova, last, prot);
	if (ret)
		goto unlock;
	first->area = NULL;
	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last) {
		part = part_of(area, iova, last);
		area->pins += iommufd_part_npages(&part);
		if (!first->area)
			*first = part;
	}
unlock:
	mutex_unlock(&ioas->iova_lock);
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

	mutex_lock(&ioas->iova_lock);
	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last) {
		part = part_of(area, iova, last);
		npages = iommufd_part_npages(&part);
		if (WARN_ON(area->pins < npages))
			continue;
		/* Orders all use of the area before this: see any_in_use(). */
		smp_store_release(&area->pins, area->pins - npages);
	}
	mutex_unlock(&ioas->iova_lock);
	wake_unmap(ioas);
}

/**
 * iommufd_ioas_first_part - get the part of the first area that is in a range
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 *
 * Context: The caller must have a reference to the whole range, or have it
 * pinned.
 *
 * Return: the part; its area is NULL if there is no area in the range.
 */
struct iommufd_area_part iommufd_ioas_first_part(struct iommufd_ioas *ioas,
						 unsigned long iova,
						 unsigned long last)
{
	struct iommufd_area_part part = {};
	struct iommufd_area *area;

	mutex_lock(&ioas->iova_lock);
	area = iommufd_iova_map_first(&ioas->iovas, iova, last);
	if (area)
		part = part_of(area, iova, last);
	mutex_unlock(&ioas->iova_lock);
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
 * Context: The caller must have a reference to the whole range, or have it
 * pinned.
 *
 * Return: true if there is a next part.
 */
bool iommufd_ioas_next_part(struct iommufd_ioas *ioas,
			    struct iommufd_area_part *part, unsigned long last)
{
	struct iommufd_area *area;

	if (part->last >= last)
		return false;
	mutex_lock(&ioas->iova_lock);
	area = iommufd_iova_map_first(&ioas->iovas, part->last + 1, last);
	if (area)
		*part = part_of(area, part->last + 1, last);
	mutex_unlock(&ioas->iova_lock);
	return area;
}
