// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps areas into an IOAS and all domains that mirror it.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "domain/domain.h"
#include "ioas/area.h"
#include "ioas/ioas.h"
#include "ioas/map.h"
#include "pages/pages.h"
#include "trace/fail.h"

static int pin_area(struct iommufd_ioas *ioas, struct iommufd_area *area,
		    struct iommufd_map_stats *stats)
{
	struct iommufd_pages *pages = area->pages;
	unsigned long pinned = 0;
	int ret;

	ret = iommufd_trace_lock(iommufd_ioas_map, stats, mutex_lock_killable,
				 &pages->pin_lock);
	if (ret)
		return ret;
	ret = iommufd_area_pin(ioas, area, &pinned);
	mutex_unlock(&pages->pin_lock);
	iommufd_trace_lap(iommufd_ioas_map, stats, &stats->pin_ns);
	stats->pinned += pinned;
	return ret;
}

static void unpin_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			struct iommufd_map_stats *stats)
{
	struct iommufd_area *area;

	list_for_each_entry(area, areas, list)
		iommufd_area_unpin(ioas, area);
	stats->pinned = 0;
}

static int pin_areas(struct iommufd_ioas *ioas, struct list_head *areas,
		     struct iommufd_map_stats *stats)
{
	struct iommufd_area *area;
	int ret;

	list_for_each_entry(area, areas, list) {
		ret = pin_area(ioas, area, stats);
		if (ret) {
			unpin_areas(ioas, areas, stats);
			return ret;
		}
	}
	return 0;
}

/*
 * Pin the pages if there are page tables that need them. This is done without
 * domains_rwsem, as a page fault may take arbitrarily long. Whether there are
 * page tables is certain only once domains_rwsem is held for reading, as it is on
 * success.
 */
static int pin_and_lock(struct iommufd_ioas *ioas, struct list_head *areas,
			struct iommufd_map_stats *stats)
{
	bool pin = READ_ONCE(ioas->nr_domains);
	int ret;

	for (;;) {
		ret = pin ? pin_areas(ioas, areas, stats) : 0;
		if (ret)
			return ret;
		ret = iommufd_trace_lock(iommufd_ioas_map, stats,
					 down_read_killable,
					 &ioas->domains_rwsem);
		if (ret) {
			unpin_areas(ioas, areas, stats);
			return ret;
		}
		if (!ioas->nr_domains == !pin)
			return 0;
		if (pin) {
			unpin_areas(ioas, areas, stats);
			return 0;
		}
		up_read(&ioas->domains_rwsem);
		pin = true;
	}
}

/* Map an area, which is pinned, into all page tables. */
static int fill_area(struct iommufd_ioas *ioas, struct iommufd_area *area,
		     struct iommufd_map_stats *stats)
{
	struct iommufd_domain *domain;
	u64 runs = 0;
	int ret = 0;

	mutex_lock(&area->pages->lock);
	stats->domains = 0;
	list_for_each_entry(domain, &ioas->domains, node) {
		runs = 0;
		ret = iommufd_domain_map_area(domain, area, &runs);
		if (ret)
			break;
		stats->domains++;
	}
	if (ret)
		list_for_each_entry_continue_reverse(domain, &ioas->domains,
						     node)
			iommufd_domain_clear_area(domain, area);
	mutex_unlock(&area->pages->lock);
	stats->runs += runs;
	return ret;
}

static int fill_areas(struct iommufd_ioas *ioas, struct list_head *areas,
		      struct iommufd_map_stats *stats)
{
	struct iommufd_domain *domain;
	struct iommufd_area *area;
	int ret;

	lockdep_assert_held(&ioas->domains_rwsem);

	if (list_empty(&ioas->domains))
		return 0;
	list_for_each_entry(area, areas, list) {
		ret = fill_area(ioas, area, stats);
		if (ret)
			goto undo;
	}
	iommufd_trace_lap(iommufd_ioas_map, stats, &stats->map_ns);
	return 0;

undo:
	list_for_each_entry_continue_reverse(area, areas, list)
		list_for_each_entry(domain, &ioas->domains, node)
			iommufd_domain_clear_area(domain, area);
	stats->runs = 0;
	stats->domains = 0;
	return ret;
}

static int place_area(struct iommufd_iova_map *map, struct iommufd_area *area,
		      unsigned long iova)
{
	/* IOVA and memory have the same offset in a page of the page tables. */
	if (!IS_ALIGNED(area->offset, map->alignment))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_MEMORY_ALIGNMENT,
				    area->offset, map->alignment);
	return iommufd_iova_map_insert(map, area, iova,
				       iommufd_area_length(area));
}

/* Insert areas one after the other, all or none. */
static int place_areas(struct iommufd_ioas *ioas, struct list_head *areas,
		       u32 flags, unsigned long *iova)
{
	struct iommufd_area *area = list_first_entry(areas,
						     struct iommufd_area, list);
	unsigned long memory = area->pages->start + area->offset;
	unsigned long place, length = 0;
	int ret;

	lockdep_assert_held(&ioas->iova_lock);

	if (!(flags & IOMMU_IOAS_MAP_FIXED_IOVA)) {
		list_for_each_entry(area, areas, list)
			length += iommufd_area_length(area);
		ret = iommufd_iova_map_place(&ioas->iovas, length, memory,
					     iova);
		if (ret)
			return ret;
	}

	place = *iova;
	list_for_each_entry(area, areas, list) {
		ret = place_area(&ioas->iovas, area, place);
		if (ret)
			goto undo;
		place = area->last + 1;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(area, areas, list)
		iommufd_iova_map_remove(&ioas->iovas, area);
	return ret;
}

static void remove_areas(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_area *area;

	mutex_lock(&ioas->iova_lock);
	list_for_each_entry(area, areas, list)
		iommufd_iova_map_remove(&ioas->iovas, area);
	mutex_unlock(&ioas->iova_lock);
}

/*
 * The areas are in all page tables: make them visible to others. Each belongs to
 * others from then on, who may unmap it before the next one is visible.
 */
static void publish_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			  struct iommufd_map_stats *stats)
{
	struct iommufd_area *area, *next;
	u64 nr_areas = 0, bytes = 0;

	lockdep_assert_held(&ioas->domains_rwsem);

	list_for_each_entry(area, areas, list) {
		nr_areas++;
		bytes += iommufd_area_length(area);
	}
	stats->seq = iommufd_ioas_count(ioas, true, nr_areas, bytes);
	list_for_each_entry_safe(area, next, areas, list)
		/* Pairs with iommufd_area_state(). */
		smp_store_release(&area->state, IOMMUFD_AREA_MAPPED);
	INIT_LIST_HEAD(areas);
}

/**
 * iommufd_ioas_map_areas - map areas one after the other
 * @ioas: the IOAS
 * @areas: list of at least one area; taken over on success
 * @iova: the address with IOMMU_IOAS_MAP_FIXED_IOVA, else set to the address
 * @flags: enum iommufd_ioas_map_flags
 * @stats: filled in
 *
 * Nothing is pinned if there are no page tables. Errors of the memory are then
 * reported when a device is attached.
 *
 * Return: 0 or a negative errno: one of iommufd_iova_map_insert(),
 * iommufd_iova_map_find(), iommufd_pages_pin() or iommufd_domain_map_area(), or
 * -EINTR if the caller was killed. Nothing is changed on failure.
 */
int iommufd_ioas_map_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			   unsigned long *iova, u32 flags,
			   struct iommufd_map_stats *stats)
{
	int ret;

	iommufd_trace_wait(iommufd_ioas_map, stats,
			   mutex_trylock(&ioas->iova_lock),
			   (mutex_lock(&ioas->iova_lock), 0));
	ret = place_areas(ioas, areas, flags, iova);
	mutex_unlock(&ioas->iova_lock);
	if (ret)
		return ret;

	ret = pin_and_lock(ioas, areas, stats);
	if (ret)
		goto remove;
	ret = fill_areas(ioas, areas, stats);
	if (!ret)
		publish_areas(ioas, areas, stats);
	up_read(&ioas->domains_rwsem);
	if (!ret)
		return 0;

	unpin_areas(ioas, areas, stats);
remove:
	remove_areas(ioas, areas);
	return ret;
}
