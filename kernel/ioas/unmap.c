// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes areas out of an IOAS. The order is a security rule: clear all page
 * tables, flush the IOTLBs, only then give pages back and let the addresses be
 * used again.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "core/ioctl.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "pages/pages.h"
#include "trace/fail.h"

/*
 * Collect the areas in iova..last. An area that is being mapped is not there
 * yet: its map ends after this unmap.
 */
static int collect(struct iommufd_ioas *ioas, unsigned long iova,
		   unsigned long last, struct list_head *areas)
{
	struct iommufd_area *area;

	lockdep_assert_held(&ioas->space_lock);

	iommufd_space_for_each(area, &ioas->space, iova, last) {
		if (area->state != IOMMUFD_AREA_MAPPED)
			continue;
		/* Only whole ones: who may unmap parts has cut them before. */
		if (area->iova < iova || area->last > last)
			return iommufd_fail(-ENOENT,
					    IOMMUFD_REASON_PARTIAL_UNMAP,
					    area->iova, area->last);
		if (area->fixed)
			return iommufd_fail(-EBUSY,
					    IOMMUFD_REASON_HARDWARE_USES,
					    area->iova, area->last);
		list_add_tail(&area->list, areas);
	}
	list_for_each_entry(area, areas, list)
		area->state = IOMMUFD_AREA_UNMAPPING;
	return 0;
}

/* Collect the areas in iova..last and have drivers let go of them. */
static int take_areas(struct iommufd_ioas *ioas, unsigned long iova,
		      unsigned long last, struct list_head *areas)
{
	struct iommufd_area *area;
	int ret;

	mutex_lock(&ioas->space_lock);
	ret = collect(ioas, iova, last, areas);
	mutex_unlock(&ioas->space_lock);
	if (ret)
		return ret;
	ret = iommufd_ioas_evict(ioas, areas);
	if (!ret)
		return 0;

	mutex_lock(&ioas->space_lock);
	list_for_each_entry(area, areas, list)
		area->state = IOMMUFD_AREA_MAPPED;
	mutex_unlock(&ioas->space_lock);
	return ret;
}

static void clear_page_tables(struct iommufd_ioas *ioas,
			      struct list_head *areas,
			      struct iommufd_unmap_stats *stats, u64 *clock)
{
	struct iommufd_hwpt_paging *hwpt;
	struct iommu_iotlb_gather gather;
	struct iommufd_area *area;

	list_for_each_entry(hwpt, &ioas->hwpts, node) {
		iommu_iotlb_gather_init(&gather);
		list_for_each_entry(area, areas, list) {
			iommufd_hwpt_unmap_area(hwpt, area, &gather);
			cond_resched();
		}
		iommufd_trace_lap(iommufd_ioas_unmap, clock, &stats->unmap_ns);
		iommu_iotlb_sync(hwpt->common.domain, &gather);
		iommufd_trace_lap(iommufd_ioas_unmap, clock, &stats->sync_ns);
		stats->domains++;
	}
}

static void give_pages_back(struct iommufd_ioas *ioas, struct list_head *areas,
			    struct iommufd_unmap_stats *stats, u64 *clock)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);
	struct iommufd_run_iter iter;
	struct iommufd_area *area;
	unsigned long first, last;

	list_for_each_entry(area, areas, list) {
		stats->areas++;
		if (!area->pinned)
			continue;
		first = iommufd_area_first_index(area);
		last = iommufd_area_last_index(area);

		mutex_lock(&area->pages->lock);
		iommufd_trace_lap(iommufd_ioas_unmap, clock, &stats->lock_ns);
		if (stats->start_ns)
			iommufd_for_each_run(&iter, &area->pages->blocks, first,
					     last)
				stats->runs++;
		stats->unpinned += iommufd_pages_unuse(area->pages, first, last,
						       &requester);
		mutex_unlock(&area->pages->lock);
		area->pinned = false;
		atomic_long_sub(last - first + 1, &ioas->pinned);
		iommufd_trace_lap(iommufd_ioas_unmap, clock, &stats->unpin_ns);
	}
}

/**
 * iommufd_ioas_unmap_range - unmap the areas in an interval
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 * @unmapped: set to the number of bytes unmapped
 * @stats: filled in
 *
 * When it returns no DMA reaches what was mapped in the interval before,
 * whoever unmapped it.
 *
 * Returns 0, also if there is no area in the interval, -ENOENT if one is partly
 * outside of it, -EBUSY if hardware uses one by its physical address, or -EINTR
 * or -ERESTARTSYS if the caller was killed while it waited. Nothing is changed
 * on failure.
 */
int iommufd_ioas_unmap_range(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last, unsigned long *unmapped,
			     struct iommufd_unmap_stats *stats)
{
	struct iommufd_area *area;
	u64 clock = stats->start_ns;
	LIST_HEAD(areas);
	u64 nr_areas = 0;
	int ret;

	*unmapped = 0;
	ret = mutex_lock_killable(&ioas->unmap_lock);
	if (ret)
		return ret;
	ret = take_areas(ioas, iova, last, &areas);
	if (ret || list_empty(&areas))
		goto unlock;

	down_read(&ioas->hwpts_rwsem);
	iommufd_trace_lap(iommufd_ioas_unmap, &clock, &stats->lock_ns);
	clear_page_tables(ioas, &areas, stats, &clock);
	give_pages_back(ioas, &areas, stats, &clock);

	mutex_lock(&ioas->space_lock);
	list_for_each_entry(area, &areas, list) {
		*unmapped += iommufd_area_length(area);
		iommufd_space_remove(&ioas->space, area);
		nr_areas++;
	}
	stats->seq = iommufd_ioas_count(ioas, false, nr_areas, *unmapped);
	mutex_unlock(&ioas->space_lock);
	up_read(&ioas->hwpts_rwsem);
	iommufd_areas_free(&areas);
unlock:
	mutex_unlock(&ioas->unmap_lock);
	return ret;
}

/**
 * iommufd_ioas_unmap_all - unmap what an IOAS that is destroyed still has
 * @ioas: the IOAS
 */
void iommufd_ioas_unmap_all(struct iommufd_ioas *ioas)
{
	struct iommufd_unmap_stats stats = {
		.start_ns = iommufd_trace_start(iommufd_ioas_unmap),
	};
	unsigned long unmapped;
	int ret;

	if (RB_EMPTY_ROOT(&ioas->space.areas))
		return;
	/* Nobody is left who could make it wait or fail. */
	ret = iommufd_ioas_unmap_range(ioas, 0, ULONG_MAX, &unmapped, &stats);
	WARN_ON(ret);
	trace_iommufd_ioas_unmap(ioas->ctx->number, ioas->obj.id, 0, U64_MAX,
				 unmapped, ret, &stats);
}

/**
 * iommufd_ioas_undo_map - unmap what the user could not be told of
 * @ioas: the IOAS
 * @iova: first address
 * @length: bytes
 *
 * Who is killed while it waits for other unmaps leaves the map behind, which
 * ends with the context then.
 */
void iommufd_ioas_undo_map(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long length)
{
	struct iommufd_unmap_stats stats = {};
	unsigned long unmapped;

	iommufd_ioas_unmap_range(ioas, iova, iova + (length - 1), &unmapped,
				 &stats);
}

int iommufd_cmd_ioas_unmap(struct iommufd_ucmd *ucmd)
{
	struct iommufd_unmap_stats stats = {
		.start_ns = iommufd_trace_start(iommufd_ioas_unmap),
	};
	struct iommu_ioas_unmap *cmd = ucmd->cmd;
	u64 length = cmd->length;
	unsigned long unmapped = 0, last;
	struct iommufd_ioas *ioas;
	int ret;

	ioas = iommufd_ioas_get(ucmd->ctx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	if (!cmd->iova && cmd->length == U64_MAX) {
		ret = iommufd_ioas_unmap_range(ioas, 0, ULONG_MAX, &unmapped,
					       &stats);
	} else if (cmd->iova >= ULONG_MAX || cmd->length >= ULONG_MAX) {
		ret = iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW,
				   cmd->iova, cmd->length);
	} else if (!cmd->length) {
		ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_ZERO_LENGTH, 0, 0);
	} else if (check_add_overflow((unsigned long)cmd->iova,
				      (unsigned long)cmd->length - 1, &last)) {
		ret = iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW,
				   cmd->iova, cmd->length);
	} else {
		ret = iommufd_ioas_unmap_range(ioas, cmd->iova, last, &unmapped,
					       &stats);
		if (!ret && !unmapped)
			ret = iommufd_fail(-ENOENT, IOMMUFD_REASON_NOT_MAPPED,
					   cmd->iova, cmd->length);
	}
	if (!ret) {
		cmd->length = unmapped;
		ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	trace_iommufd_ioas_unmap(ucmd->ctx->number, ioas->obj.id, cmd->iova,
				 length, unmapped, ret, &stats);
	iommufd_object_put(ucmd->ctx, &ioas->obj);
	return ret;
}
