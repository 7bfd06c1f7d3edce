// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of VFIO's type1 containers, for programs that don't use
 * /dev/iommu. They act like their counterparts of iommufd on the IOAS that
 * vfio/compat.c returns.
 *
 * Not supported: VFIO_UPDATE_VADDR and its flags (use
 * IOMMU_IOAS_CHANGE_PROCESS) and dirty tracking (use
 * VFIO_DEVICE_FEATURE_DMA_LOGGING_* of devices or IOMMU_HWPT_SET_DIRTY_TRACKING
 * of page tables).
 */
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "core/ctx.h"
#include "core/range.h"
#include "domain/domain.h"
#include "ioas/area.h"
#include "ioas/domains.h"
#include "ioas/ioas.h"
#include "ioas/map.h"
#include "ioas/map_check.h"
#include "ioas/unmap.h"
#include "pages/pages.h"
#include "trace/fail.h"
#include "vfio/vfio.h"

/*
 * Returns 1 if DMA is always coherent with CPU caches, 0 if it may bypass them,
 * or a negative errno. KVM uses this on behalf of guests.
 */
static int coherency(struct iommufd_ctx *ctx)
{
	struct iommufd_domain *domain;
	struct iommufd_ioas *ioas;
	int ret = 1;

	ioas = iommufd_vfio_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	down_read(&ioas->domains_rwsem);
	list_for_each_entry(domain, &ioas->domains, node)
		if (!domain->coherent)
			ret = 0;
	up_read(&ioas->domains_rwsem);
	iommufd_object_put(ctx, &ioas->obj);
	return ret;
}

static int check_extension(struct iommufd_ctx *ctx, unsigned long extension)
{
	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return !READ_ONCE(ctx->vfio_noiommu);
	case VFIO_NOIOMMU_IOMMU:
		return IS_ENABLED(CONFIG_VFIO_NOIOMMU);
	case VFIO_DMA_CC_IOMMU:
		return coherency(ctx);
	default:
		return 0;
	}
}

/*
 * The first version of type1 allows parts of a mapping to be unmapped, which
 * requires page tables with small pages. VFIO_SET_IOMMU can't undo this choice.
 */
static int set_type1(struct iommufd_ctx *ctx, unsigned long type)
{
	struct iommufd_ioas *ioas;
	int ret = 0;

	ioas = iommufd_vfio_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (type == VFIO_TYPE1_IOMMU)
		ret = iommufd_ioas_set_large_pages(ioas, false);
	iommufd_object_put(ctx, &ioas->obj);
	return ret;
}

static int set_iommu(struct iommufd_ctx *ctx, unsigned long type)
{
	if (READ_ONCE(ctx->vfio_noiommu)) {
		if (type != VFIO_NOIOMMU_IOMMU)
			return iommufd_fail(-EINVAL,
					    IOMMUFD_REASON_CONTAINER_NOIOMMU,
					    type, 0);
		return capable(CAP_SYS_RAWIO) ?
			       0 :
			       iommufd_fail(-EPERM,
					    IOMMUFD_REASON_NO_CAPABILITY,
					    CAP_SYS_RAWIO, 0);
	}
	switch (type) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
		return set_type1(ctx, type);
	default:
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_UNKNOWN_VALUE, type,
				    0);
	}
}

static int map_pages(struct iommufd_ioas *ioas,
		     const struct vfio_iommu_type1_dma_map *map, u32 flags,
		     struct iommufd_map_stats *stats)
{
	unsigned long iova = map->iova;
	struct iommufd_pages *pages;
	struct iommufd_area *area;
	LIST_HEAD(areas);
	int ret;

	pages = iommufd_pages_from_va(ioas->ctx, map->vaddr,
				      flags & IOMMU_IOAS_MAP_WRITEABLE);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	area = iommufd_area_alloc(pages, offset_in_page(map->vaddr), map->size,
				  flags);
	if (IS_ERR(area))
		return PTR_ERR(area);
	list_add(&area->list, &areas);
	ret = iommufd_ioas_map_areas(ioas, &areas, &iova, flags, stats);
	iommufd_areas_free(&areas);
	return ret;
}

static void __cold trace_map(const struct iommufd_ioas *ioas,
			     const struct vfio_iommu_type1_dma_map *map,
			     u32 flags, int ret,
			     const struct iommufd_map_stats *stats)
{
	struct iommufd_map_brief request = {
		.ctx = ioas->ctx->number,
		.ioas = ioas->obj.id,
		.iova = map->iova,
		.length = map->size,
		.source = IOMMUFD_SOURCE_VA,
		.ret = ret,
	};

	iommufd_trace_map(&request, flags & IOMMUFD_MAP_PROTS, stats);
}

static int run_map(struct iommufd_ctx *ctx,
		   const struct vfio_iommu_type1_dma_map *map, u32 flags,
		   struct iommufd_map_stats *stats)
{
	struct iommufd_ioas *ioas;
	int ret;

	ioas = iommufd_vfio_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = iommufd_map_check(flags, map->iova, map->size);
	if (!ret)
		ret = iommufd_map_check_source(map->vaddr, map->size);
	if (!ret) {
		ret = map_pages(ioas, map, flags, stats);
		if (iommufd_trace_both_enabled(iommufd_ioas_map))
			trace_map(ioas, map, flags, ret, stats);
	}
	iommufd_object_put(ctx, &ioas->obj);
	return ret;
}

static int map_dma(struct iommufd_ctx *ctx, void __user *arg)
{
	struct iommufd_map_stats stats = {};
	size_t size = offsetofend(struct vfio_iommu_type1_dma_map, size);
	const u32 known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct vfio_iommu_type1_dma_map map;
	u32 flags = IOMMU_IOAS_MAP_FIXED_IOVA;

	iommufd_trace_begin_both(iommufd_ioas_map, &stats);
	if (copy_from_user(&map, arg, size))
		return iommufd_fail_user(arg, size);
	if (map.argsz < size)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_BAD_SIZE, map.argsz,
				    size);
	if (map.flags & ~known)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_UNKNOWN_FLAG,
				    map.flags, known);
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		flags |= IOMMU_IOAS_MAP_READABLE;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		flags |= IOMMU_IOAS_MAP_WRITEABLE;
	return run_map(ctx, &map, flags, &stats);
}

/* Get the last address of an unmap request. */
static int unmap_last(const struct vfio_iommu_type1_dma_unmap *unmap,
		      unsigned long *last)
{
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		*last = ULONG_MAX;
		if (unmap->iova || unmap->size)
			return iommufd_fail(-EINVAL,
					    IOMMUFD_REASON_FLAGS_CONFLICT,
					    unmap->flags, 0);
		return 0;
	}
	return iommufd_range_last(unmap->iova, unmap->size, last);
}

static void __cold trace_unmap(const struct iommufd_ioas *ioas,
			       const struct vfio_iommu_type1_dma_unmap *unmap,
			       unsigned long unmapped, int ret,
			       const struct iommufd_unmap_stats *stats)
{
	struct iommufd_unmap_brief request = {
		.ctx = ioas->ctx->number,
		.ioas = ioas->obj.id,
		.iova = unmap->iova,
		.length = unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL ? U64_MAX :
								   unmap->size,
		.unmapped = unmapped,
		.ret = ret,
	};

	iommufd_trace_unmap(&request, stats);
}

static int run_unmap(struct iommufd_ctx *ctx,
		     const struct vfio_iommu_type1_dma_unmap *unmap,
		     unsigned long *unmapped,
		     struct iommufd_unmap_stats *stats)
{
	struct iommufd_ioas *ioas;
	unsigned long last;
	int ret;

	ioas = iommufd_vfio_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = unmap_last(unmap, &last);
	if (!ret)
		ret = iommufd_ioas_split(ioas, unmap->iova, last);
	if (!ret)
		ret = iommufd_ioas_unmap_range(ioas, unmap->iova, last,
					       unmapped, stats);
	if (iommufd_trace_both_enabled(iommufd_ioas_unmap))
		trace_unmap(ioas, unmap, *unmapped, ret, stats);
	iommufd_object_put(ctx, &ioas->obj);
	return ret;
}

static int unmap_dma(struct iommufd_ctx *ctx, void __user *arg)
{
	struct iommufd_unmap_stats stats = {};
	size_t size = offsetofend(struct vfio_iommu_type1_dma_unmap, size);
	struct vfio_iommu_type1_dma_unmap __user *reply = arg;
	struct vfio_iommu_type1_dma_unmap unmap;
	unsigned long unmapped = 0;
	int ret;

	iommufd_trace_begin_both(iommufd_ioas_unmap, &stats);
	if (copy_from_user(&unmap, arg, size))
		return iommufd_fail_user(arg, size);
	if (unmap.argsz < size)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_BAD_SIZE,
				    unmap.argsz, size);
	if (unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL)
		ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_UNKNOWN_FLAG,
				   unmap.flags, VFIO_DMA_UNMAP_FLAG_ALL);
	else
		ret = run_unmap(ctx, &unmap, &unmapped, &stats);
	/* Programs check the size rather than the error: always report it. */
	if (put_user(unmapped, &reply->size) && !ret)
		ret = iommufd_fail_user(&reply->size, sizeof(reply->size));
	return ret;
}

/**
 * iommufd_vfio_ioctl - handle an ioctl that is not one of iommufd's own
 * @ctx: the context of the request
 * @nr: number of the ioctl
 * @arg: its argument
 *
 * Return: The result of the ioctl, or -ENOTTY if it is not one of type1 either.
 */
long iommufd_vfio_ioctl(struct iommufd_ctx *ctx, unsigned int nr,
			unsigned long arg)
{
	switch (nr) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return check_extension(ctx, arg);
	case VFIO_SET_IOMMU:
		return set_iommu(ctx, arg);
	case VFIO_IOMMU_GET_INFO:
		return iommufd_vfio_get_info(ctx, (void __user *)arg);
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(ctx, (void __user *)arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(ctx, (void __user *)arg);
	default:
		return iommufd_fail(-ENOTTY, IOMMUFD_REASON_UNKNOWN_COMMAND, nr,
				    0);
	}
}
