// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removes areas from an IOAS. The order matters for security: clear all page
 * tables, flush the IOTLBs, and only then unpin pages and make the addresses
 * available again.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "core/ioctl.h"
#include "core/range.h"
#include "domain/domain.h"
#include "ioas/access_pages.h"
#include "ioas/area.h"
#include "ioas/ioas.h"
#include "ioas/unmap.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"
#include "trace/fail.h"

/*
 * Collect the areas in iova..last, which get no reference or pin from then on.
 * Areas that are being mapped are left out: those map requests end after this
 * unmap. Sets @wait if the kernel uses an area, or if an area belongs to a
 * dma-buf, as the exporter may hold its lock. Returns -EAGAIN if another unmap
 * has an area, and leaves all areas as they are.
 */
static int collect(struct iommufd_ioas *ioas, unsigned long iova,
		   unsigned long last, struct list_head *areas, bool *wait)
{
	enum iommufd_area_state state;
	struct iommufd_area *area;
	unsigned long users = 0;

	lockdep_assert_held(&ioas->iova_lock);

	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last) {
		state = iommufd_area_state(area);
		if (state == IOMMUFD_AREA_UNMAPPING) {
			INIT_LIST_HEAD(areas);
			return -EAGAIN;
		}
		if (state != IOMMUFD_AREA_MAPPED)
			continue;
		/* VFIO, which may unmap parts, has split the areas before. */
		if (area->iova < iova || area->last > last)
			return iommufd_fail(-ENOENT,
					    IOMMUFD_REASON_PARTIAL_UNMAP,
					    area->iova, area->last);
		if (area->phys_pins)
			return iommufd_fail(-EBUSY,
					    IOMMUFD_REASON_HARDWARE_USES,
					    area->iova, area->last);
		list_add_tail(&area->list, areas);
	}
	list_for_each_entry(area, areas, list) {
		area->state = IOMMUFD_AREA_UNMAPPING;
		users |= area->refs | area->pins | (area->prot & IOMMU_MMIO);
	}
	*wait = users;
	return 0;
}

/*
 * The exporter of a dma-buf may hold its lock for an unlimited time. An unmap
 * can't be undone once page tables are being cleared, so wait before that.
 * Without page tables that lock is not taken. This includes the destruction of
 * an IOAS, which can't fail. The list needs no lock for a check whether it is
 * empty.
 */
static int wait_for_owners(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_pages *waited = NULL;
	struct iommufd_area *area;
	int ret;

	if (!IS_ENABLED(CONFIG_DMA_SHARED_BUFFER) || list_empty(&ioas->domains))
		return 0;
	list_for_each_entry(area, areas, list) {
		if (!(area->prot & IOMMU_MMIO) || area->pages == waited)
			continue;
		waited = area->pages;
		ret = iommufd_dmabuf_wait(waited->dmabuf);
		if (ret)
			return ret;
	}
	return 0;
}

/* Areas that were being unmapped are gone or back. */
static void wake_unmaps(struct iommufd_ioas *ioas)
{
	lockdep_assert_held(&ioas->iova_lock);

	if (!list_empty(&ioas->unmap_waits))
		wake_up_all(&ioas->unmapped);
}

/* The caller was killed and nothing has been unmapped. */
static void put_back(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_area *area;

	mutex_lock(&ioas->iova_lock);
	list_for_each_entry(area, areas, list)
		area->state = IOMMUFD_AREA_MAPPED;
	wake_unmaps(ioas);
	mutex_unlock(&ioas->iova_lock);
}

/* Whether a task that began to wait before @wait does so for a common address. */
static bool waits_before(struct iommufd_ioas *ioas,
			 const struct iommufd_unmap_wait *wait)
{
	struct iommufd_unmap_wait *other;

	list_for_each_entry(other, &ioas->unmap_waits, node) {
		if (other == wait)
			break;
		if (other->iova <= wait->last && other->last >= wait->iova)
			return true;
	}
	return false;
}

/*
 * Whether an unmap of these addresses has to wait: for unmaps that run, and for
 * unmaps that began to wait earlier. If it did not wait for the latter, an unmap
 * of many addresses could wait forever while others unmap some of them. Once
 * @wait is in the list, no area in its range becomes UNMAPPING, so that no area
 * is checked twice.
 */
static bool must_wait(struct iommufd_ioas *ioas,
		      struct iommufd_unmap_wait *wait)
{
	struct iommufd_area *area;

	lockdep_assert_held(&ioas->iova_lock);

	if (waits_before(ioas, wait))
		return true;
	iommufd_iova_map_for_each(area, &ioas->iovas, wait->checked,
				  wait->last) {
		if (iommufd_area_state(area) != IOMMUFD_AREA_UNMAPPING)
			continue;
		wait->checked = max(area->iova, wait->iova);
		return true;
	}
	return false;
}

/* Drops iova_lock while it waits. */
static int wait_unmapped(struct iommufd_ioas *ioas, unsigned long iova,
			 unsigned long last)
{
	struct iommufd_unmap_wait wait = {
		.iova = iova,
		.last = last,
		.checked = iova,
	};
	DEFINE_WAIT(entry);
	int ret = 0;

	if (!must_wait(ioas, &wait))
		return 0;
	list_add_tail(&wait.node, &ioas->unmap_waits);
	do {
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		/* Tasks that wake it hold this lock, so no wake-up is lost. */
		prepare_to_wait(&ioas->unmapped, &entry, TASK_KILLABLE);
		mutex_unlock(&ioas->iova_lock);
		schedule();
		mutex_lock(&ioas->iova_lock);
	} while (must_wait(ioas, &wait));
	finish_wait(&ioas->unmapped, &entry);
	list_del(&wait.node);
	/* Later ones may have waited for this one alone. */
	wake_unmaps(ioas);
	return ret;
}

/**
 * iommufd_ioas_wait_unmapped - wait until no unmap of a range is running
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 *
 * Also waits for unmaps that wait for running ones. Others may begin at once.
 *
 * Return: 0, or -EINTR if the caller was killed.
 */
int iommufd_ioas_wait_unmapped(struct iommufd_ioas *ioas, unsigned long iova,
			       unsigned long last)
{
	int ret;

	mutex_lock(&ioas->iova_lock);
	ret = wait_unmapped(ioas, iova, last);
	mutex_unlock(&ioas->iova_lock);
	return ret;
}

/* Out of line: rarely needed. */
static int __cold trace_wait_unmapped(struct iommufd_ioas *ioas,
				      unsigned long iova, unsigned long last,
				      struct iommufd_unmap_stats *stats)
{
	return iommufd_trace_wait(iommufd_ioas_unmap, stats, false,
				  wait_unmapped(ioas, iova, last));
}

/* Collect the areas in iova..last and wait until drivers have unpinned them. */
static int take_areas(struct iommufd_ioas *ioas, unsigned long iova,
		      unsigned long last, struct list_head *areas,
		      struct iommufd_unmap_stats *stats)
{
	bool wait;
	int ret;

	mutex_lock(&ioas->iova_lock);
	ret = list_empty(&ioas->unmap_waits) ?
		      0 :
		      trace_wait_unmapped(ioas, iova, last, stats);
	while (!ret) {
		ret = collect(ioas, iova, last, areas, &wait);
		if (ret != -EAGAIN)
			break;
		ret = trace_wait_unmapped(ioas, iova, last, stats);
	}
	mutex_unlock(&ioas->iova_lock);
	if (ret || !wait)
		return ret;
	ret = iommufd_ioas_evict(ioas, areas, stats);
	if (!ret)
		ret = wait_for_owners(ioas, areas);
	if (ret)
		put_back(ioas, areas);
	return ret;
}

static void clear_domain(struct iommufd_domain *domain,
			 struct list_head *areas,
			 struct iommufd_unmap_stats *stats)
{
	struct iommu_iotlb_gather gather;
	struct iommufd_area *area;

	iommu_iotlb_gather_init(&gather);
	list_for_each_entry(area, areas, list) {
		iommufd_domain_unmap_area(domain, area, &gather);
		cond_resched();
	}
	iommufd_trace_lap(iommufd_ioas_unmap, stats, &stats->unmap_ns);
	iommu_iotlb_sync(domain->iommu, &gather);
	iommufd_trace_lap(iommufd_ioas_unmap, stats, &stats->sync_ns);
	stats->domains++;
}

static void clear_domains(struct iommufd_ioas *ioas, struct list_head *areas,
			  struct iommufd_unmap_stats *stats)
{
	struct iommufd_domain *domain;

	list_for_each_entry(domain, &ioas->domains, node)
		clear_domain(domain, areas, stats);
}

/* Out of line: costs one branch while the tracepoint is disabled. */
static void __cold trace_runs(struct iommufd_area *area,
			      struct iommufd_unmap_stats *stats)
{
	struct iommufd_pages *pages = area->pages;

	iommufd_trace_wait(iommufd_ioas_unmap, stats,
			   mutex_trylock(&pages->lock),
			   (mutex_lock(&pages->lock), 0));
	stats->runs += iommufd_pages_count_runs(pages,
						iommufd_area_first_index(area),
						iommufd_area_last_index(area));
	mutex_unlock(&pages->lock);
}

static void unpin_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			struct iommufd_unmap_stats *stats)
{
	struct iommufd_area *area;

	list_for_each_entry(area, areas, list) {
		stats->areas++;
		if (trace_iommufd_ioas_unmap_enabled() && area->pinned)
			trace_runs(area, stats);
		stats->unpinned += iommufd_area_unpin(ioas, area);
	}
	iommufd_trace_lap(iommufd_ioas_unmap, stats, &stats->unpin_ns);
}

/* Clear and remove areas under one hold of domains_rwsem. */
static u64 remove_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			struct iommufd_unmap_stats *stats)
{
	struct iommufd_area *area;
	u64 nr_areas = 0, bytes = 0;

	lockdep_assert_held(&ioas->domains_rwsem);

	clear_domains(ioas, areas, stats);
	unpin_areas(ioas, areas, stats);
	list_for_each_entry(area, areas, list) {
		bytes += iommufd_area_length(area);
		nr_areas++;
	}
	/* Before others can map these addresses: their request counts later. */
	stats->seq = iommufd_ioas_count(ioas, false, nr_areas, bytes);
	mutex_lock(&ioas->iova_lock);
	iommufd_iova_map_remove_list(&ioas->iovas, areas);
	wake_unmaps(ioas);
	mutex_unlock(&ioas->iova_lock);
	return bytes;
}

/**
 * iommufd_ioas_unmap_range - unmap the areas in an interval
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 * @unmapped: set to the number of bytes unmapped
 * @stats: filled in
 *
 * On success, no DMA reaches anything that was mapped in the interval before,
 * even if a concurrent request has unmapped it: an area stays in the map until
 * its pages can't be reached, and this waits for areas that others unmap.
 *
 * Return: 0, also if there is no area in the interval, -ENOENT if an area is
 * partly outside of it, -EBUSY if hardware accesses one by its physical
 * address, or -EINTR or -ERESTARTSYS if the caller was killed while waiting.
 * Nothing is changed on failure.
 */
int iommufd_ioas_unmap_range(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last, unsigned long *unmapped,
			     struct iommufd_unmap_stats *stats)
{
	LIST_HEAD(areas);
	int ret;

	*unmapped = 0;
	ret = take_areas(ioas, iova, last, &areas, stats);
	if (ret || list_empty(&areas))
		return ret;

	ret = iommufd_trace_lock(iommufd_ioas_unmap, stats, down_read_killable,
				 &ioas->domains_rwsem);
	if (ret) {
		put_back(ioas, &areas);
		return ret;
	}
	*unmapped = remove_areas(ioas, &areas, stats);
	up_read(&ioas->domains_rwsem);
	iommufd_areas_free(&areas);
	return 0;
}

/**
 * iommufd_ioas_unmap_all - unmap everything in an IOAS that is being destroyed
 * @ioas: the IOAS
 */
void iommufd_ioas_unmap_all(struct iommufd_ioas *ioas)
{
	struct iommufd_unmap_brief request = {
		.ctx = ioas->ctx->number,
		.ioas = ioas->obj.id,
		.length = U64_MAX,
	};
	struct iommufd_unmap_stats stats = {};
	unsigned long unmapped;

	iommufd_trace_begin_both(iommufd_ioas_unmap, &stats);
	if (RB_EMPTY_ROOT(&ioas->iovas.areas))
		return;
	/* There are no users left for which it could wait or fail. */
	request.ret = iommufd_ioas_unmap_range(ioas, 0, ULONG_MAX, &unmapped,
					       &stats);
	WARN_ON(request.ret);
	request.unmapped = unmapped;
	iommufd_trace_unmap(&request, &stats);
}

/**
 * iommufd_ioas_undo_map - undo a map request that could not be reported
 * @ioas: the IOAS
 * @iova: first address
 * @length: bytes
 *
 * If the caller is killed while waiting for another unmap, the mapping stays
 * until the context is closed.
 */
void iommufd_ioas_undo_map(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long length)
{
	struct iommufd_unmap_stats stats = {};
	unsigned long unmapped;

	iommufd_ioas_unmap_range(ioas, iova, iova + (length - 1), &unmapped,
				 &stats);
}

static void __cold trace_request(const struct iommufd_ioas *ioas,
				 const struct iommu_ioas_unmap *cmd,
				 unsigned long unmapped, int ret,
				 const struct iommufd_unmap_stats *stats)
{
	struct iommufd_unmap_brief request = {
		.ctx = ioas->ctx->number,
		.ioas = ioas->obj.id,
		.iova = cmd->iova,
		.length = cmd->length,
		.unmapped = unmapped,
		.ret = ret,
	};

	iommufd_trace_unmap(&request, stats);
}

int iommufd_cmd_ioas_unmap(struct iommufd_ucmd *ucmd)
{
	struct iommufd_unmap_stats stats = {};
	struct iommu_ioas_unmap __user *reply = ucmd->ubuffer;
	const struct iommu_ioas_unmap *cmd = ucmd->cmd;
	unsigned long unmapped = 0, last;
	struct iommufd_ioas *ioas;
	int ret;

	iommufd_trace_begin_both(iommufd_ioas_unmap, &stats);
	ioas = iommufd_ioas_get(ucmd->ctx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	if (!cmd->iova && cmd->length == U64_MAX) {
		ret = iommufd_ioas_unmap_range(ioas, 0, ULONG_MAX, &unmapped,
					       &stats);
	} else if (cmd->iova >= ULONG_MAX || cmd->length >= ULONG_MAX) {
		ret = iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW,
				   cmd->iova, cmd->length);
	} else {
		ret = iommufd_range_last(cmd->iova, cmd->length, &last);
		if (!ret)
			ret = iommufd_ioas_unmap_range(ioas, cmd->iova, last,
						       &unmapped, &stats);
		if (!ret && !unmapped)
			ret = iommufd_fail(-ENOENT, IOMMUFD_REASON_NOT_MAPPED,
					   cmd->iova, cmd->length);
	}
	if (!ret && put_user(unmapped, &reply->length))
		ret = iommufd_ucmd_fail(ucmd, sizeof(*cmd));
	if (iommufd_trace_both_enabled(iommufd_ioas_unmap))
		trace_request(ioas, cmd, unmapped, ret, &stats);
	iommufd_object_put(ucmd->ctx, &ioas->obj);
	return ret;
}
