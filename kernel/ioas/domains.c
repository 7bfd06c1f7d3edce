// SPDX-License-Identifier: GPL-2.0-only
/*
 * The set of domains that mirror an IOAS.
 */
#include <linux/iommu.h>

#include "domain/domain.h"
#include "ioas/access.h"
#include "ioas/area.h"
#include "ioas/domains.h"
#include "ioas/ioas.h"
#include "ioas/range_ref.h"
#include "ioas/reserve.h"
#include "ioas/unmap.h"
#include "pages/pages.h"
#include "trace/fail.h"

/**
 * iommufd_ioas_check_alignment - check that all areas are aligned
 * @ioas: the IOAS
 * @alignment: power of two
 *
 * Context: The caller must hold the iova_lock of @ioas.
 * Return: 0, -EADDRINUSE if an area is not aligned, or -EINVAL if @alignment is
 * larger than PAGE_SIZE.
 */
int iommufd_ioas_check_alignment(struct iommufd_ioas *ioas,
				 unsigned long alignment)
{
	struct iommufd_area *area;

	lockdep_assert_held(&ioas->iova_lock);

	/* Memory is pinned and mapped in units of PAGE_SIZE or less. */
	if (alignment > PAGE_SIZE)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_HWPT_PAGE_SIZE,
				    alignment, PAGE_SIZE);
	iommufd_iova_map_for_each(area, &ioas->iovas, 0, ULONG_MAX) {
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

	/* Drivers pin whole pages: a page must belong to one area only. */
	xa_for_each(&ioas->accesses, id, access)
		if (iommufd_access_pins(access))
			return PAGE_SIZE;
	return 1;
}

/**
 * iommufd_ioas_update_alignment - update the required alignment of areas
 * @ioas: the IOAS
 *
 * Context: The caller must hold the iova_lock of @ioas, which keeps the sets
 * of page tables and accesses stable.
 */
void iommufd_ioas_update_alignment(struct iommufd_ioas *ioas)
{
	unsigned long alignment = ioas->large_pages ? 1 : PAGE_SIZE;
	struct iommufd_domain *domain;

	lockdep_assert_held(&ioas->iova_lock);

	alignment = max(alignment, access_alignment(ioas));
	list_for_each_entry(domain, &ioas->domains, node)
		alignment = max(alignment, iommufd_domain_smallest_page(domain));
	ioas->iovas.alignment = alignment;
}

/*
 * The next area that domains map, or are about to map. Areas that are being
 * mapped are skipped: their requests look at the set of domains later.
 */
static struct iommufd_area *next_area(struct iommufd_ioas *ioas,
				      struct iommufd_area *area)
{
	lockdep_assert_held_write(&ioas->domains_rwsem);

	mutex_lock(&ioas->iova_lock);
	do {
		area = area ? iommufd_area_next(area, ULONG_MAX) :
			      iommufd_iova_map_first(&ioas->iovas, 0,
						     ULONG_MAX);
	} while (area && iommufd_area_state(area) == IOMMUFD_AREA_MAPPING);
	mutex_unlock(&ioas->iova_lock);
	return area;
}

#define for_each_area(area, ioas) \
	for (area = next_area(ioas, NULL); area; area = next_area(ioas, area))

/* Remove the areas below @end from a domain. */
static void clear_domain(struct iommufd_ioas *ioas,
			 struct iommufd_domain *domain,
			 struct iommufd_area *end)
{
	struct iommu_iotlb_gather gather;
	struct iommufd_area *area;

	iommu_iotlb_gather_init(&gather);
	for_each_area(area, ioas) {
		if (area == end)
			break;
		iommufd_domain_unmap_area(domain, area, &gather);
	}
	iommu_iotlb_sync(domain->iommu, &gather);
}

/* Map all areas, which are pinned, into a domain. */
static int fill_domain(struct iommufd_ioas *ioas,
		       struct iommufd_domain *domain)
{
	struct iommufd_area *area;
	u64 runs = 0;
	int ret;

	for_each_area(area, ioas) {
		mutex_lock(&area->pages->lock);
		ret = iommufd_domain_map_area(domain, area, &runs);
		mutex_unlock(&area->pages->lock);
		if (ret) {
			clear_domain(ioas, domain, area);
			return ret;
		}
	}
	return 0;
}

/* The area may have been split since it was found: sets @last to its end. */
static int pin_area(struct iommufd_ioas *ioas, struct iommufd_area *area,
		    unsigned long *last)
{
	struct iommufd_pages *pages = area->pages;
	unsigned long pinned = 0;
	int ret;

	ret = mutex_lock_killable(&pages->pin_lock);
	if (ret)
		return ret;
	ret = iommufd_area_pin(ioas, area, &pinned);
	*last = area->last;
	mutex_unlock(&pages->pin_lock);
	return ret;
}

/* Pin all areas. Concurrent map requests pin theirs before they map them. */
static int pin_areas(struct iommufd_ioas *ioas)
{
	struct iommufd_area *area;
	struct iommufd_range_ref ref;
	unsigned long iova = 0;
	int ret;

	while ((ret = iommufd_ioas_get_unpinned(ioas, iova, &ref, &area))) {
		if (ret == -EAGAIN) {
			/* Now it is gone, or it stays and is pinned next. */
			ret = iommufd_ioas_wait_unmapped(ioas, ref.iova,
							 ref.last);
		} else {
			ret = pin_area(ioas, area, &iova);
			iommufd_ioas_put_range(ioas, &ref);
		}
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Pages stay pinned as long as the IOAS has page tables, or one is being added.
 * The lock is held for a moment only: no request waits for a page fault here.
 */
static int begin_domain(struct iommufd_ioas *ioas)
{
	int ret = down_write_killable(&ioas->domains_rwsem);

	if (ret)
		return ret;
	ioas->nr_domains++;
	up_write(&ioas->domains_rwsem);
	return 0;
}

static void end_domain(struct iommufd_ioas *ioas)
{
	struct iommufd_area *area;

	lockdep_assert_held_write(&ioas->domains_rwsem);

	if (--ioas->nr_domains)
		return;
	for_each_area(area, ioas)
		iommufd_area_unpin(ioas, area);
}

/* Reserve what the domain can't translate, or has something else mapped in. */
static int reserve(struct iommufd_iova_map *map, struct iommufd_domain *domain)
{
	const struct iommufd_msi_window *window = &domain->msi_window;
	int ret;

	ret = iommufd_iova_map_reserve_outside(map, domain->iommu, domain);
	if (ret || !window->length)
		return ret;
	ret = iommufd_iova_map_reserve(map, window->start,
				       window->start + (window->length - 1),
				       domain, false);
	if (ret)
		iommufd_iova_map_unreserve(map, domain);
	return ret;
}

/* Existing areas must be compatible with the domain, as must future ones. */
static int list_domain(struct iommufd_ioas *ioas,
		       struct iommufd_domain *domain)
{
	int ret;

	mutex_lock(&ioas->iova_lock);
	ret = iommufd_ioas_check_alignment(ioas,
					   iommufd_domain_smallest_page(domain));
	if (!ret)
		ret = reserve(&ioas->iovas, domain);
	if (!ret) {
		iommufd_domain_set_large_pages(domain, ioas->large_pages);
		list_add_tail(&domain->node, &ioas->domains);
		iommufd_ioas_update_alignment(ioas);
	}
	mutex_unlock(&ioas->iova_lock);
	return ret;
}

static void unlist_domain(struct iommufd_ioas *ioas,
			  struct iommufd_domain *domain)
{
	mutex_lock(&ioas->iova_lock);
	list_del_init(&domain->node);
	iommufd_iova_map_unreserve(&ioas->iovas, domain);
	iommufd_ioas_update_alignment(ioas);
	mutex_unlock(&ioas->iova_lock);
}

/**
 * iommufd_ioas_add_domain - let a domain mirror an IOAS
 * @ioas: the IOAS
 * @domain: the domain, which must be empty
 *
 * Pins all areas, then maps them into the domain. Only requests that need
 * the same pages wait while these are pinned.
 *
 * Return: 0, -EADDRINUSE if an area is outside the aperture of the domain
 * or not aligned to its pages, -EINVAL if its pages are larger than PAGE_SIZE,
 * -EINTR if the caller was killed, or an errno of iommufd_pages_pin() or
 * iommufd_domain_map_area(). Nothing is changed on failure.
 */
int iommufd_ioas_add_domain(struct iommufd_ioas *ioas,
			    struct iommufd_domain *domain)
{
	int ret;

	ret = begin_domain(ioas);
	if (ret)
		return ret;
	ret = pin_areas(ioas);
	down_write(&ioas->domains_rwsem);
	if (!ret)
		ret = list_domain(ioas, domain);
	if (!ret) {
		ret = fill_domain(ioas, domain);
		if (ret)
			unlist_domain(ioas, domain);
	}
	if (ret)
		end_domain(ioas);
	up_write(&ioas->domains_rwsem);
	return ret;
}

/**
 * iommufd_ioas_remove_domain - undo iommufd_ioas_add_domain()
 * @ioas: the IOAS
 * @domain: the domain, to which no device is attached; empty afterwards
 *
 * Unpins the pages of the IOAS if this was its last domain.
 */
void iommufd_ioas_remove_domain(struct iommufd_ioas *ioas,
				struct iommufd_domain *domain)
{
	down_write(&ioas->domains_rwsem);
	unlist_domain(ioas, domain);
	clear_domain(ioas, domain, NULL);
	end_domain(ioas);
	up_write(&ioas->domains_rwsem);
}

/**
 * iommufd_ioas_set_large_pages - set whether page tables may use large pages
 * @ioas: the IOAS
 * @enable: if false, everything is mapped in units of PAGE_SIZE
 *
 * Return: 0, -EINVAL if page tables that already map something would have to
 * change, -EADDRINUSE if an area is not aligned to PAGE_SIZE, or -EINTR if the
 * caller was killed.
 */
int iommufd_ioas_set_large_pages(struct iommufd_ioas *ioas, bool enable)
{
	struct iommufd_domain *domain;
	int ret;

	ret = down_write_killable(&ioas->domains_rwsem);
	if (ret)
		return ret;
	mutex_lock(&ioas->iova_lock);
	if (!enable && ioas->large_pages) {
		if (!list_empty(&ioas->domains) &&
		    !RB_EMPTY_ROOT(&ioas->iovas.areas))
			ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_NOT_EMPTY,
					   enable, 0);
		else
			ret = iommufd_ioas_check_alignment(ioas, PAGE_SIZE);
	}
	if (!ret) {
		ioas->large_pages = enable;
		list_for_each_entry(domain, &ioas->domains, node)
			iommufd_domain_set_large_pages(domain, enable);
		iommufd_ioas_update_alignment(ioas);
	}
	mutex_unlock(&ioas->iova_lock);
	up_write(&ioas->domains_rwsem);
	return ret;
}
