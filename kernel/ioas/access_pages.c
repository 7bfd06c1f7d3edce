// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel drivers that use areas. An unmap asks the drivers to unpin the pages
 * of its areas, and waits until the last one is unpinned.
 */
#include <linux/iommu.h>

#include "ioas/access.h"
#include "ioas/access_pages.h"
#include "ioas/domains.h"
#include "ioas/ioas.h"
#include "ioas/range_ref.h"
#include "pages/pages.h"
#include "trace/fail.h"

static void list_pages(const struct iommufd_area_part *part,
		       struct page **out_pages)
{
	struct iommufd_run_iter iter;
	unsigned long i;

	iommufd_for_each_run(&iter, &part->area->pages->blocks,
			     iommufd_part_first(part), iommufd_part_last(part))
		for (i = 0; i < iter.run.npages; i++)
			*out_pages++ = pfn_to_page(iter.run.pfn + i);
}

static int pin_part(struct iommufd_ioas *ioas,
		    const struct iommufd_area_part *part,
		    struct page **out_pages)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);
	struct iommufd_pages *pages = part->area->pages;
	unsigned long pinned = 0;
	int ret;

	if (!iommufd_pages_are_memory(pages))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_NOT_MEMORY,
				    part->iova, 0);

	ret = mutex_lock_killable(&pages->pin_lock);
	if (ret)
		return ret;
	ret = iommufd_pages_pin(pages, iommufd_part_first(part),
				iommufd_part_last(part), &requester, &pinned);
	mutex_unlock(&pages->pin_lock);
	if (ret || !out_pages)
		return ret;
	mutex_lock(&pages->lock);
	list_pages(part, out_pages);
	mutex_unlock(&pages->lock);
	return 0;
}

static void unpin_part(struct iommufd_ioas *ioas,
		       const struct iommufd_area_part *part)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);

	iommufd_pages_unpin(part->area->pages, iommufd_part_first(part),
			    iommufd_part_last(part), &requester);
}

static void unpin_parts(struct iommufd_ioas *ioas, unsigned long iova,
			unsigned long last)
{
	struct iommufd_area_part part;
	bool more;

	part = iommufd_ioas_first_part(ioas, iova, last);
	for (more = !WARN_ON(!part.area); more;
	     more = iommufd_ioas_next_part(ioas, &part, last))
		unpin_part(ioas, &part);
}

/**
 * iommufd_ioas_pin - pin the pages of a range for a driver
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 * @prot: access the mapping must allow: IOMMU_READ, IOMMU_WRITE
 * @out_pages: set to the pages, unless NULL
 *
 * Return: 0 or a negative errno, see iommufd_access_pin_pages(). Nothing is
 * changed on failure.
 */
int iommufd_ioas_pin(struct iommufd_ioas *ioas, unsigned long iova,
		     unsigned long last, int prot, struct page **out_pages)
{
	struct iommufd_area_part part;
	bool more;
	int ret;

	ret = iommufd_ioas_get_pins(ioas, iova, last, prot, &part);
	if (ret)
		return ret;

	for (more = true; more;
	     more = iommufd_ioas_next_part(ioas, &part, last)) {
		ret = pin_part(ioas, &part, out_pages);
		if (ret)
			goto undo;
		if (out_pages)
			out_pages += iommufd_part_npages(&part);
	}
	return 0;

undo:
	if (part.iova != iova)
		unpin_parts(ioas, iova, part.iova - 1);
	iommufd_ioas_put_pins(ioas, iova, last);
	return ret;
}

/**
 * iommufd_ioas_unpin - undo iommufd_ioas_pin()
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 */
void iommufd_ioas_unpin(struct iommufd_ioas *ioas, unsigned long iova,
			unsigned long last)
{
	unpin_parts(ioas, iova, last);
	iommufd_ioas_put_pins(ioas, iova, last);
}

/**
 * iommufd_ioas_rw - copy to or from the memory that a range maps
 * @ioas: the IOAS
 * @iova: first address
 * @data: kernel memory
 * @length: bytes; the range must not wrap
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * Return: 0 or a negative errno, see iommufd_access_rw().
 */
int iommufd_ioas_rw(struct iommufd_ioas *ioas, unsigned long iova, void *data,
		    size_t length, unsigned int flags)
{
	int prot = flags & IOMMUFD_ACCESS_RW_WRITE ? IOMMU_WRITE : IOMMU_READ;
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);
	unsigned long last = iova + (length - 1);
	struct iommufd_area_part part;
	struct iommufd_range_ref ref;
	size_t n;
	int ret;

	ret = iommufd_ioas_get_range(ioas, iova, last, prot, &ref, &part);
	if (ret)
		return ret;
	do {
		n = part.last - part.iova + 1;
		ret = iommufd_pages_rw(part.area->pages,
				       iommufd_area_offset(part.area,
							   part.iova),
				       data, n, flags, &requester);
		data += n;
	} while (!ret && iommufd_ioas_next_part(ioas, &part, last));
	iommufd_ioas_put_range(ioas, &ref);
	return ret;
}

static bool any_in_use(struct list_head *areas)
{
	struct iommufd_area *area;

	list_for_each_entry(area, areas, list)
		if (READ_ONCE(area->refs) || READ_ONCE(area->pins))
			return true;
	/* Pairs with the smp_store_release() of the counters in range_ref.c. */
	smp_acquire__after_ctrl_dep();
	return false;
}

static void tell_drivers(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct iommufd_access *access;
	unsigned long id;

	lockdep_assert_held(&ioas->accesses_rwsem);

	xa_for_each(&ioas->accesses, id, access)
		if (access->ops->unmap)
			access->ops->unmap(access->data, area->iova,
					   iommufd_area_length(area));
}

/*
 * A driver may record a pin only after it was called for the unmap. So it is
 * called again until its pages are unpinned.
 */
#define CALL_AGAIN	(HZ / 10)

static int wait_for_users(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_area *area;
	int ret;

	do {
		ret = down_read_killable(&ioas->accesses_rwsem);
		if (ret)
			return ret;
		list_for_each_entry(area, areas, list)
			if (READ_ONCE(area->pins))
				tell_drivers(ioas, area);
		up_read(&ioas->accesses_rwsem);
		ret = wait_event_killable_timeout(ioas->released,
						  !any_in_use(areas),
						  CALL_AGAIN);
	} while (!ret);
	return min(ret, 0);
}

/**
 * iommufd_ioas_evict - wait until the kernel no longer uses areas
 * @ioas: the IOAS
 * @areas: areas in the state UNMAPPING, so that there are no new users
 * @stats: the time waited is added here
 *
 * Context: May sleep for any time. No function that the drivers may call waits
 * for this.
 * Return: 0, or -EINTR or -ERESTARTSYS if the caller was killed while waiting.
 */
int iommufd_ioas_evict(struct iommufd_ioas *ioas, struct list_head *areas,
		       struct iommufd_unmap_stats *stats)
{
	if (!any_in_use(areas))
		return 0;
	return iommufd_trace_wait(iommufd_ioas_unmap, stats, false,
				  wait_for_users(ioas, areas));
}

/**
 * iommufd_ioas_add_access - let a driver use an IOAS
 * @ioas: the IOAS. The caller keeps a reference until the access is removed
 * @access: the access
 *
 * Return: 0, -EADDRINUSE if the driver pins pages and an area is not aligned to
 * PAGE_SIZE, -ENOMEM, or -EINTR if the caller was killed.
 */
int iommufd_ioas_add_access(struct iommufd_ioas *ioas,
			    struct iommufd_access *access)
{
	int ret;

	ret = down_write_killable(&ioas->accesses_rwsem);
	if (ret)
		return ret;
	mutex_lock(&ioas->iova_lock);
	if (iommufd_access_pins(access))
		ret = iommufd_ioas_check_alignment(ioas, PAGE_SIZE);
	if (!ret)
		ret = xa_insert(&ioas->accesses, access->obj.id, access,
				GFP_KERNEL_ACCOUNT);
	iommufd_ioas_update_alignment(ioas);
	mutex_unlock(&ioas->iova_lock);
	up_write(&ioas->accesses_rwsem);
	return ret;
}

/**
 * iommufd_ioas_remove_access - end a driver's use of an IOAS
 * @ioas: the IOAS
 * @access: the access, which has no page pinned
 *
 * When this returns, no callback of the access is running any more.
 */
void iommufd_ioas_remove_access(struct iommufd_ioas *ioas,
				struct iommufd_access *access)
{
	down_write(&ioas->accesses_rwsem);
	mutex_lock(&ioas->iova_lock);
	xa_erase(&ioas->accesses, access->obj.id);
	iommufd_ioas_update_alignment(ioas);
	mutex_unlock(&ioas->iova_lock);
	up_write(&ioas->accesses_rwsem);
}
