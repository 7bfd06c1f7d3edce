// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies mappings from one IOAS to another, or to other addresses of the same
 * IOAS. The new areas share the pages, which stay pinned and charged once.
 */
#include <linux/iommu.h>

#include "core/ioctl.h"
#include "core/range.h"
#include "ioas/area.h"
#include "ioas/ioas.h"
#include "ioas/map.h"
#include "ioas/map_check.h"
#include "ioas/unmap.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"
#include "trace/fail.h"

static int copy_part(struct iommufd_area *area, unsigned long iova,
		     unsigned long last, u32 flags, struct list_head *areas)
{
	struct iommufd_area *new;

	if ((flags & IOMMU_IOAS_MAP_WRITEABLE) && !area->pages->writable)
		return iommufd_fail(-EPERM, IOMMUFD_REASON_MAPPING_RIGHTS,
				    IOMMU_READ, IOMMU_WRITE);
	new = iommufd_area_alloc(iommufd_pages_get(area->pages),
				 area->offset + (iova - area->iova),
				 min(last, area->last) - iova + 1, flags);
	if (IS_ERR(new))
		return PTR_ERR(new);
	list_add_tail(&new->list, areas);
	return 0;
}

/* Allocate new areas for iova..last, which must be mapped without a hole. */
static int copy_areas(struct iommufd_ioas *ioas, unsigned long iova,
		      unsigned long last, u32 flags, struct list_head *areas)
{
	struct iommufd_area *area;
	int ret;

	lockdep_assert_held(&ioas->iova_lock);

	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last) {
		if (area->iova > iova ||
		    iommufd_area_state(area) != IOMMUFD_AREA_MAPPED)
			break;
		ret = copy_part(area, iova, last, flags, areas);
		if (ret || area->last >= last)
			return ret;
		iova = area->last + 1;
	}
	return iommufd_fail(-ENOENT, IOMMUFD_REASON_NOT_MAPPED, iova,
			    last - iova + 1);
}

static int copy_from_ioas(struct iommufd_ctx *ctx, struct iommu_ioas_copy *cmd,
			  struct list_head *areas)
{
	struct iommufd_ioas *src;
	unsigned long last;
	int ret;

	ret = iommufd_range_last(cmd->src_iova, cmd->length, &last);
	if (ret)
		return ret;
	src = iommufd_ioas_get(ctx, cmd->src_ioas_id);
	if (IS_ERR(src))
		return PTR_ERR(src);
	mutex_lock(&src->iova_lock);
	ret = copy_areas(src, cmd->src_iova, last, cmd->flags, areas);
	mutex_unlock(&src->iova_lock);
	iommufd_object_put(ctx, &src->obj);
	return ret;
}

/* A revoked dma-buf is in no page table, and must not be mapped again. */
static int check_dmabufs(struct list_head *areas)
{
	struct iommufd_pages *checked = NULL;
	struct iommufd_area *area;
	int ret;

	list_for_each_entry(area, areas, list) {
		if (iommufd_pages_are_memory(area->pages) ||
		    area->pages == checked)
			continue;
		checked = area->pages;
		ret = iommufd_dmabuf_check(checked->dmabuf);
		if (ret)
			return ret;
	}
	return 0;
}

static int copy_request(struct iommufd_ioas *dst, struct iommufd_ucmd *ucmd,
			struct list_head *areas,
			struct iommufd_map_stats *stats)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	unsigned long iova = cmd->dst_iova;
	int ret;

	ret = copy_from_ioas(ucmd->ctx, cmd, areas);
	if (!ret)
		ret = check_dmabufs(areas);
	if (ret)
		return ret;
	ret = iommufd_ioas_map_areas(dst, areas, &iova, cmd->flags, stats);
	if (ret)
		return ret;

	cmd->dst_iova = iova;
	ret = iommufd_ucmd_respond_member(ucmd, &cmd->dst_iova);
	if (ret)
		iommufd_ioas_undo_map(dst, iova, cmd->length);
	return ret;
}

static void __cold trace_copy(const struct iommufd_ioas *dst,
			      const struct iommu_ioas_copy *cmd, int ret,
			      const struct iommufd_map_stats *stats)
{
	struct iommufd_map_brief request = {
		.ctx = dst->ctx->number,
		.ioas = dst->obj.id,
		.iova = cmd->dst_iova,
		.length = cmd->length,
		.source = IOMMUFD_SOURCE_COPY,
		.ret = ret,
	};

	iommufd_trace_map(&request, cmd->flags & IOMMUFD_MAP_PROTS, stats);
}

int iommufd_cmd_ioas_copy(struct iommufd_ucmd *ucmd)
{
	struct iommufd_map_stats stats = {};
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	struct iommufd_ioas *dst;
	LIST_HEAD(areas);
	int ret;

	iommufd_trace_begin_both(iommufd_ioas_map, &stats);
	ret = iommufd_map_check(cmd->flags, cmd->dst_iova, cmd->length);
	if (ret)
		return ret;
	dst = iommufd_ioas_get(ucmd->ctx, cmd->dst_ioas_id);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	ret = copy_request(dst, ucmd, &areas, &stats);
	iommufd_areas_free(&areas);
	if (iommufd_trace_both_enabled(iommufd_ioas_map))
		trace_copy(dst, cmd, ret, &stats);
	iommufd_object_put(ucmd->ctx, &dst->obj);
	return ret;
}
