// SPDX-License-Identifier: GPL-2.0-only
/*
 * The areas of an IOAS, for observers. Unlike contexts and objects, they are
 * read under the lock of the IOAS: the reader may sleep.
 *
 * The reader takes a reference to the IOAS, but none to its context, whose file
 * is therefore closed by its own user. The context waits for the reference
 * before it destroys the IOAS, and is freed after an RCU grace period.
 */
#include <linux/iommu.h>
#include <linux/rcupdate.h>

#include "bpf/areas.h"
#include "bpf/iommufd_bpf.h"
#include "core/ctx.h"
#include "core/object.h"
#include "ioas/ioas.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"

/**
 * iommufd_ioas_find - get an IOAS of any context
 * @number: number of the context
 * @id: id of the IOAS
 *
 * Return: the IOAS, for iommufd_ioas_leave(), or NULL.
 */
struct iommufd_ioas *iommufd_ioas_find(u32 number, u32 id)
{
	struct iommufd_ioas *ioas = NULL;
	struct iommufd_ctx *ctx;

	rcu_read_lock();
	ctx = xa_load(&iommufd_contexts, number);
	if (ctx)
		ioas = iommufd_ioas_get(ctx, id);
	rcu_read_unlock();
	return IS_ERR(ioas) ? NULL : ioas;
}

/**
 * iommufd_ioas_leave - put an IOAS of iommufd_ioas_find()
 * @ioas: the IOAS
 */
void iommufd_ioas_leave(struct iommufd_ioas *ioas)
{
	struct iommufd_ctx *ctx = ioas->ctx;

	/* Without the reference, only RCU keeps the context in memory. */
	rcu_read_lock();
	iommufd_object_put(ctx, &ioas->obj);
	rcu_read_unlock();
}

static u32 flags_of(const struct iommufd_area *area)
{
	enum iommufd_area_state state = iommufd_area_state(area);
	const struct iommufd_pages *pages = area->pages;
	u32 flags = 0;

	if (area->prot & IOMMU_READ)
		flags |= IOMMUFD_AREA_READ;
	if (area->prot & IOMMU_WRITE)
		flags |= IOMMUFD_AREA_WRITE;
	if (!iommufd_pages_are_memory(pages) &&
	    READ_ONCE(pages->dmabuf->revoked))
		flags |= IOMMUFD_AREA_REVOKED;
	if (state == IOMMUFD_AREA_MAPPING)
		flags |= IOMMUFD_AREA_IN_MAP;
	if (state == IOMMUFD_AREA_UNMAPPING)
		flags |= IOMMUFD_AREA_IN_UNMAP;
	return flags;
}

static void set_info(struct iommufd_area_info *info,
		     const struct iommufd_ioas *ioas,
		     const struct iommufd_area *area)
{
	*info = (struct iommufd_area_info){
		.ctx = ioas->ctx->number,
		.ioas = ioas->obj.id,
		.iova = area->iova,
		.length = iommufd_area_length(area),
		.source = area->pages->source,
		.flags = flags_of(area),
		.addr = area->pages->start + area->offset,
		.pinned = READ_ONCE(area->pinned) ? iommufd_area_npages(area) :
						    0,
		.pins = area->pins,
	};
}

/* The first area that begins at or above an address. */
static struct iommufd_area *find_from(struct iommufd_iova_map *map,
				      unsigned long iova)
{
	struct iommufd_area *area;

	area = iommufd_iova_map_first(map, iova, ULONG_MAX);
	return area && area->iova < iova ? iommufd_area_next(area, ULONG_MAX) :
					   area;
}

static bool find_info(u32 ctx, u32 id, u64 iova, bool below,
		      struct iommufd_area_info *info)
{
	struct iommufd_area *area = NULL;
	struct iommufd_ioas *ioas;

	if (iova > ULONG_MAX)
		return false;
	ioas = iommufd_ioas_find(ctx, id);
	if (!ioas)
		return false;
	if (!mutex_lock_killable(&ioas->iova_lock)) {
		if (below)
			area = iommufd_iova_map_last(&ioas->iovas, iova);
		if (!area)
			area = find_from(&ioas->iovas, iova);
		if (area)
			set_info(info, ioas, area);
		mutex_unlock(&ioas->iova_lock);
	}
	iommufd_ioas_leave(ioas);
	return area;
}

/**
 * iommufd_area_info_at - describe the area at an address, or next to it
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @iova: the address
 * @info: filled in with the area that contains @iova. If no area does, it is the
 *	nearest one below @iova, or the lowest one if all are above
 *
 * Context: Process context. May sleep. No lock of iommufd may be held.
 *
 * Return: true, or false if the IOAS does not exist or is empty.
 */
bool iommufd_area_info_at(u32 ctx, u32 ioas, u64 iova,
			  struct iommufd_area_info *info)
{
	return find_info(ctx, ioas, iova, true, info);
}

/**
 * iommufd_area_info_from - describe the first area from an address on
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @iova: the address
 * @info: filled in with the first area that begins at or above @iova
 *
 * Context: Process context. May sleep. No lock of iommufd may be held.
 *
 * Return: true, or false if the IOAS does not exist or has no area from there on.
 */
bool iommufd_area_info_from(u32 ctx, u32 ioas, u64 iova,
			    struct iommufd_area_info *info)
{
	return find_info(ctx, ioas, iova, false, info);
}

/**
 * iommufd_ioas_next_pages - get the pages of the first area of memory from an
 *	address on
 * @ioas: the IOAS
 * @iova: the address
 * @found: filled in. If no area follows, its pages are NULL; otherwise the
 *	caller puts them
 *
 * The area may be split or unmapped later: its pages stay the same.
 *
 * Context: Process context. May sleep. No lock of iommufd may be held.
 *
 * Return: 0, or -EINTR if the task was killed.
 */
int iommufd_ioas_next_pages(struct iommufd_ioas *ioas, unsigned long iova,
			    struct iommufd_area_pages *found)
{
	struct iommufd_area *area;
	int ret;

	ret = mutex_lock_killable(&ioas->iova_lock);
	if (ret)
		return ret;
	found->pages = NULL;
	iommufd_iova_map_for_each(area, &ioas->iovas, iova, ULONG_MAX) {
		if (!iommufd_pages_are_memory(area->pages))
			continue;
		refcount_inc(&area->pages->refs);
		found->pages = area->pages;
		found->first = iommufd_area_first_index(area);
		found->npages = iommufd_area_npages(area);
		found->iova = area->iova;
		found->last = area->last;
		found->pinned = READ_ONCE(area->pinned);
		break;
	}
	mutex_unlock(&ioas->iova_lock);
	return 0;
}
