// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking: the IOMMU marks the pages that devices write to in its page
 * table. This reads the marks into a bitmap of the user, and clears them.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "builtin/iova_bitmap.h"
#include "core/ctx.h"
#include "core/ioctl.h"
#include "core/range.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "ioas/range_ref.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"
#include "trace/device_events.h"
#include "trace/fail.h"

/**
 * struct dirty_read - a walk over the dirty marks of a page table
 * @hwpt: the page table
 * @flags: IOMMU_DIRTY_NO_CLEAR
 * @dirty: filled in by the IOMMU driver
 * @gather: ranges to flush from the IOTLB, where entries may still have the
 *	marks
 * @ref: reference to the piece that is being read
 * @marked: number of bits set
 */
struct dirty_read {
	struct iommufd_hwpt_paging *hwpt;
	unsigned long flags;
	struct iommu_dirty_bitmap dirty;
	struct iommu_iotlb_gather gather;
	struct iommufd_range_ref ref;
	u64 marked;
};

/* Read portions small enough to reschedule, and large enough for huge pages. */
static int read_memory(struct dirty_read *read, unsigned long iova,
		       unsigned long last)
{
	struct iommu_domain *domain = read->hwpt->common.domain;
	unsigned long end;
	int ret;

	for (;; iova = end + 1) {
		end = min(last, iova | (SZ_1G - 1));
		ret = domain->dirty_ops->read_and_clear_dirty(domain, iova,
							      end - iova + 1,
							      read->flags,
							      &read->dirty);
		if (ret)
			return iommufd_fail_driver(ret);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (end == last)
			return 0;
		cond_resched();
	}
}

/* Lock the dma-buf, as a revoke would change the page table during the read. */
static int read_dmabuf(struct dirty_read *read,
		       const struct iommufd_area_part *part)
{
	struct iommufd_dmabuf *dmabuf = part->area->pages->dmabuf;
	int ret;

	ret = iommufd_dmabuf_lock_killable(dmabuf);
	if (ret)
		return ret;
	if (!dmabuf->revoked)
		ret = read_memory(read, part->iova, part->last);
	iommufd_dmabuf_unlock(dmabuf);
	return ret;
}

/* Read a range without a hole, to which the caller has a reference. */
static int read_mapped(struct dirty_read *read, unsigned long iova,
		       unsigned long last)
{
	struct iommufd_ioas *ioas = read->hwpt->ioas;
	struct iommufd_area_part part;
	int ret;

	part = iommufd_ioas_first_part(ioas, iova, last);
	do {
		ret = iommufd_pages_are_memory(part.area->pages) ?
			      read_memory(read, part.iova, part.last) :
			      read_dmabuf(read, &part);
		cond_resched();
	} while (!ret && iommufd_ioas_next_part(ioas, &part, last));
	return ret;
}

static int read_window(struct iova_bitmap *bitmap, unsigned long iova,
		       size_t length, void *opaque)
{
	struct dirty_read *read = opaque;
	unsigned long last = iova + (length - 1);

	/* The bitmap may begin before the piece, at the start of a word. */
	if (last < read->ref.iova)
		return 0;
	return read_mapped(read, max(iova, read->ref.iova), last);
}

/*
 * The part of the user's bitmap that covers the piece, from the start of a
 * word. The memory of the bitmap is accessed only where something is mapped.
 */
static struct iova_bitmap *
bitmap_of_piece(struct dirty_read *read,
		const struct iommu_hwpt_get_dirty_bitmap *cmd)
{
	unsigned int shift = ilog2(cmd->page_size);
	unsigned long word = (read->ref.iova - cmd->iova) >> shift >> 6;
	unsigned long iova = cmd->iova + (word << 6 << shift);

	return iova_bitmap_alloc(iova, read->ref.last - iova + 1,
				 cmd->page_size,
				 u64_to_user_ptr(cmd->data) +
					 word * sizeof(u64));
}

static int read_piece(struct dirty_read *read,
		      const struct iommu_hwpt_get_dirty_bitmap *cmd)
{
	struct iova_bitmap *bitmap;
	int ret;

	bitmap = bitmap_of_piece(read, cmd);
	if (IS_ERR(bitmap)) {
		ret = PTR_ERR(bitmap);
			/* Some architectures require it to be aligned. */
		if (ret == -EINVAL)
			iommufd_fail(ret, IOMMUFD_REASON_UNKNOWN_VALUE,
				     cmd->data, 0);
		else if (ret == -EFAULT)
			iommufd_fail_user(u64_to_user_ptr(cmd->data), 0);
		return ret;
	}
	read->dirty.bitmap = bitmap;
	ret = iova_bitmap_for_each(bitmap, read, read_window);
	read->marked += iova_bitmap_marked(bitmap);
	iova_bitmap_free(bitmap);
	return ret;
}

/*
 * Read everything that is mapped in a range into the bitmap of a request, or
 * just clear the marks if @cmd is NULL. No IOMMU page is larger than its area,
 * so none is in two pieces.
 */
static int read_range(struct dirty_read *read, unsigned long iova,
		      unsigned long last,
		      const struct iommu_hwpt_get_dirty_bitmap *cmd)
{
	struct iommufd_ioas *ioas = read->hwpt->ioas;
	struct iommufd_range_ref *ref = &read->ref;
	int ret = 0;

	while (iommufd_ioas_get_piece(ioas, iova, last, ref)) {
		ret = cmd ? read_piece(read, cmd) :
			    read_mapped(read, ref->iova, ref->last);
		iommufd_ioas_put_range(ioas, ref);
		if (ret || ref->last == last)
			break;
		iova = ref->last + 1;
	}

	/* Flush on failure too: marks read before it are cleared already. */
	if (read->gather.start <= read->gather.end)
		iommu_iotlb_sync(read->hwpt->common.domain, &read->gather);
	return ret;
}

static void read_init(struct dirty_read *read, struct iommufd_hwpt_paging *hwpt,
		      unsigned long flags)
{
	*read = (struct dirty_read){
		.hwpt = hwpt,
		.flags = flags,
	};
	iommu_dirty_bitmap_init(&read->dirty, NULL, &read->gather);
}

/* Look up the page table of a request, which must support dirty tracking. */
static struct iommufd_hwpt_paging *get_tracking(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_hwpt_paging *hwpt;
	struct iommufd_object *obj;

	obj = iommufd_object_get(ctx, id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	hwpt = to_hwpt_paging(obj);
	if (hwpt->common.domain->dirty_ops)
		return hwpt;
	iommufd_object_put(ctx, obj);
	return ERR_PTR(iommufd_fail_driver(-EOPNOTSUPP));
}

/* Clear the marks of writes that happened before tracking began. */
static int enable(struct iommufd_hwpt_paging *hwpt)
{
	struct iommu_domain *domain = hwpt->common.domain;
	struct dirty_read read;
	int ret;

	read_init(&read, hwpt, 0);
	ret = read_range(&read, 0, ULONG_MAX, NULL);
	if (ret)
		return ret;
	ret = domain->dirty_ops->set_dirty_tracking(domain, true);
	return ret ? iommufd_fail_driver(ret) : 0;
}

/**
 * iommufd_cmd_hwpt_set_dirty_tracking - IOMMU_HWPT_SET_DIRTY_TRACKING
 * @ucmd: the request, which enables or disables tracking
 *
 * Enabling clears all marks, even if tracking is enabled already.
 *
 * Return: 0 or a negative errno.
 */
int iommufd_cmd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;
	struct iommufd_hwpt_paging *hwpt;
	struct iommu_domain *domain;
	int ret;

	if (cmd->flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return iommufd_fail_flags(cmd->flags,
					  IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);
	hwpt = get_tracking(ucmd->ctx, cmd->hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	domain = hwpt->common.domain;
	if (cmd->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		ret = enable(hwpt);
	else
		ret = domain->dirty_ops->set_dirty_tracking(domain, false);
	iommufd_object_put(ucmd->ctx, &hwpt->obj);
	return ret;
}

static int check_range(struct iommufd_hwpt_paging *hwpt,
		       const struct iommu_hwpt_get_dirty_bitmap *cmd,
		       unsigned long *last)
{
	u64 alignment = max_t(u64, cmd->page_size,
			      iommufd_domain_smallest_page(&hwpt->mirror));
	int ret = iommufd_range_last(cmd->iova, cmd->length, last);

	if (ret)
		return ret;
	if (hweight64(cmd->page_size) != 1)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_UNKNOWN_VALUE,
				    cmd->page_size, 0);
	if (!IS_ALIGNED(cmd->iova | cmd->length, alignment))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_IOVA_ALIGNMENT,
				    IS_ALIGNED(cmd->iova, alignment) ?
					    cmd->length :
					    cmd->iova,
				    alignment);
	return 0;
}

/**
 * iommufd_cmd_hwpt_get_dirty_bitmap - IOMMU_HWPT_GET_DIRTY_BITMAP
 * @ucmd: the request: a range and the user's bitmap
 *
 * Sets bits in the bitmap but never clears any. Addresses that are not mapped
 * are not dirty. A write after the marks were cleared marks its page again.
 *
 * Return: 0 or a negative errno.
 */
int iommufd_cmd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;
	struct iommufd_hwpt_paging *hwpt;
	u64 start_ns = iommufd_trace_start(iommufd_dirty_read);
	unsigned long last, flags = 0;
	struct dirty_read read = {};
	int ret;

	if (cmd->flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR)
		return iommufd_fail_flags(cmd->flags,
					  IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR);
	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);
	if (cmd->flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR)
		flags |= IOMMU_DIRTY_NO_CLEAR;

	hwpt = get_tracking(ucmd->ctx, cmd->hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	ret = check_range(hwpt, cmd, &last);
	if (!ret) {
		read_init(&read, hwpt, flags);
		ret = read_range(&read, cmd->iova, last, cmd);
	}
	trace_iommufd_dirty_read(ucmd->ctx->number, cmd->hwpt_id, cmd->iova,
				 cmd->length, cmd->page_size,
				 IOVA_BITMAP_COUNTS ? read.marked : U64_MAX,
				 cmd->flags, ret, iommufd_trace_ns(start_ns));
	iommufd_object_put(ucmd->ctx, &hwpt->obj);
	return ret;
}
