// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O address spaces: the object, and the ioctls that manage its addresses.
 */
#include <linux/iommu.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/ioctl.h"
#include "ioas/ioas.h"
#include "ioas/reserve.h"
#include "ioas/unmap.h"
#include "trace/fail.h"

/* Type1 requests no longer find an IOAS that is about to be freed. */
static void forget_vfio_ioas(struct iommufd_ioas *ioas)
{
	struct iommufd_ctx *ctx = ioas->ctx;

	xa_lock(&ctx->objects);
	if (ctx->vfio_ioas == ioas)
		ctx->vfio_ioas = NULL;
	xa_unlock(&ctx->objects);
}

static void ioas_destroy(struct iommufd_object *obj)
{
	struct iommufd_ioas *ioas = to_ioas(obj);

	forget_vfio_ioas(ioas);
	iommufd_ioas_unmap_all(ioas);
	WARN_ON(!list_empty(&ioas->unmap_waits));
	WARN_ON(!list_empty(&ioas->domains));
	WARN_ON(!xa_empty(&ioas->accesses));
	/* Ranges reserved by tests have no owner. */
	iommufd_iova_map_unreserve(&ioas->iovas, NULL);
	iommufd_allowed_free(&ioas->iovas.allowed);
	WARN_ON(!RB_EMPTY_ROOT(&ioas->iovas.reserved.rb_root));
	mutex_destroy(&ioas->iova_lock);
	mutex_destroy(&ioas->auto_lock);
}

const struct iommufd_object_ops iommufd_ioas_ops = {
	.destroy = ioas_destroy,
};

/**
 * iommufd_ioas_get - look up an IOAS for the duration of a call
 * @ctx: the context
 * @id: its id
 *
 * The caller must release the reference with iommufd_object_put().
 *
 * Return: the IOAS, or ERR_PTR(-ENOENT).
 */
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ctx, id, IOMMUFD_OBJ_IOAS);
	return IS_ERR(obj) ? ERR_CAST(obj) : to_ioas(obj);
}

/**
 * iommufd_ioas_alloc - allocate an IOAS
 * @ctx: the context
 *
 * The caller must publish or abort the object.
 *
 * Return: the IOAS, or ERR_PTR(-ENOMEM).
 */
struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas;

	ioas = iommufd_object_alloc(ctx, ioas, IOMMUFD_OBJ_IOAS);
	if (IS_ERR(ioas))
		return ioas;
	ioas->ctx = ctx;
	mutex_init(&ioas->auto_lock);
	init_rwsem(&ioas->accesses_rwsem);
	xa_init_flags(&ioas->accesses, XA_FLAGS_ACCOUNT);
	init_rwsem(&ioas->domains_rwsem);
	INIT_LIST_HEAD(&ioas->domains);
	INIT_LIST_HEAD(&ioas->range_refs);
	INIT_LIST_HEAD(&ioas->unmap_waits);
	mutex_init(&ioas->iova_lock);
	iommufd_iova_map_init(&ioas->iovas);
	raw_spin_lock_init(&ioas->counts_lock);
	seqcount_init(&ioas->counts_seq);
	init_waitqueue_head(&ioas->released);
	init_waitqueue_head(&ioas->unmapped);
	ioas->large_pages = true;
	return ioas;
}

int iommufd_cmd_ioas_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_alloc *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int ret;

	if (cmd->flags)
		return iommufd_fail_flags(cmd->flags, 0);

	ioas = iommufd_ioas_alloc(ucmd->ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	cmd->out_ioas_id = ioas->obj.id;
	ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (ret) {
		iommufd_object_abort(ucmd->ctx, &ioas->obj);
		return ret;
	}
	iommufd_object_publish(ucmd->ctx, &ioas->obj);
	return 0;
}

/**
 * iommufd_ioas_count_split - count the additional area that a split creates
 * @ioas: the IOAS
 */
void iommufd_ioas_count_split(struct iommufd_ioas *ioas)
{
	raw_spin_lock(&ioas->counts_lock);
	raw_write_seqcount_begin(&ioas->counts_seq);
	ioas->counts.areas++;
	raw_write_seqcount_end(&ioas->counts_seq);
	raw_spin_unlock(&ioas->counts_lock);
}

/**
 * iommufd_ioas_list_ranges - list the ranges of usable addresses
 * @ioas: the IOAS
 * @max: maximum number of ranges to list
 * @total: set to the total number of ranges
 * @alignment: set to the required alignment of areas, or NULL
 *
 * The caller must free the array with kvfree().
 *
 * Return: an array of ranges, or NULL if there is not enough memory.
 */
struct iommu_iova_range *iommufd_ioas_list_ranges(struct iommufd_ioas *ioas,
						  u32 max, u32 *total,
						  __u64 *alignment)
{
	struct iommu_iova_range *ranges = NULL;
	u32 room;

	/* Allocate without the lock; retry if there are more ranges by then. */
	*total = 0;
	do {
		room = min(*total, max);
		kvfree(ranges);
		ranges = kvcalloc(room, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
		if (!ranges)
			return NULL;
		mutex_lock(&ioas->iova_lock);
		*total = iommufd_iova_map_usable(&ioas->iovas, ranges, room);
		if (alignment)
			*alignment = ioas->iovas.alignment;
		mutex_unlock(&ioas->iova_lock);
	} while (room < min(*total, max));
	return ranges;
}

int iommufd_cmd_ioas_iova_ranges(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_iova_ranges *cmd = ucmd->cmd;
	struct iommu_iova_range *ranges;
	struct iommufd_ioas *ioas;
	u32 total, room;
	size_t size;
	int ret;

	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);

	ioas = iommufd_ioas_get(ucmd->ctx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	ranges = iommufd_ioas_list_ranges(ioas, cmd->num_iovas, &total,
					  &cmd->out_iova_alignment);
	if (!ranges) {
		ret = -ENOMEM;
		goto put;
	}
	room = min(total, cmd->num_iovas);
	ret = 0;
	if (total > cmd->num_iovas)
		ret = iommufd_fail(-EMSGSIZE, IOMMUFD_REASON_SHORT_BUFFER,
				   cmd->num_iovas, total);
	cmd->num_iovas = total;
	size = array_size(room, sizeof(*ranges));
	if (copy_to_user(u64_to_user_ptr(cmd->allowed_iovas), ranges, size))
		ret = iommufd_fail_user(u64_to_user_ptr(cmd->allowed_iovas),
					size);
	else if (iommufd_ucmd_respond(ucmd, sizeof(*cmd)))
		ret = -EFAULT;
put:
	kvfree(ranges);
	iommufd_object_put(ucmd->ctx, &ioas->obj);
	return ret;
}

static int read_allowed(struct rb_root_cached *allowed,
			struct iommu_iova_range __user *ranges, u32 num)
{
	struct iommu_iova_range range;
	int ret;
	u32 i;

	for (i = 0; i < num; i++) {
		if (copy_from_user(&range, ranges + i, sizeof(range)))
			return iommufd_fail_user(ranges + i, sizeof(range));
		if (range.start > ULONG_MAX || range.last > ULONG_MAX)
			return iommufd_fail(-EINVAL, IOMMUFD_REASON_BAD_ALLOWED,
					    range.start, range.last);
		ret = iommufd_allowed_add(allowed, range.start, range.last);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int iommufd_cmd_ioas_allow_iovas(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_allow_iovas *cmd = ucmd->cmd;
	struct rb_root_cached allowed = RB_ROOT_CACHED;
	struct iommufd_ioas *ioas;
	int ret;

	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);

	ioas = iommufd_ioas_get(ucmd->ctx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = read_allowed(&allowed, u64_to_user_ptr(cmd->allowed_iovas),
			   cmd->num_iovas);
	if (!ret) {
		mutex_lock(&ioas->iova_lock);
		ret = iommufd_iova_map_allow(&ioas->iovas, &allowed);
		mutex_unlock(&ioas->iova_lock);
	}
	/* On failure this is the new list, on success the old one. */
	iommufd_allowed_free(&allowed);
	iommufd_object_put(ucmd->ctx, &ioas->obj);
	return ret;
}

/**
 * iommufd_ioas_reserve_device - reserve the addresses that a device can't use
 * @ioas: the IOAS
 * @dev: the device
 * @window: set to the window into which MSI doorbells are mapped, if the IOMMU
 *	translates MSIs
 *
 * The caller ends the reservation with iommufd_ioas_unreserve_device().
 *
 * Return: 0, -EADDRINUSE if something is mapped there or if the addresses must
 * stay usable, or -ENOMEM.
 */
int iommufd_ioas_reserve_device(struct iommufd_ioas *ioas, struct device *dev,
				struct iommufd_msi_window *window)
{
	LIST_HEAD(regions);
	int ret;

	iommu_get_resv_regions(dev, &regions);
	mutex_lock(&ioas->iova_lock);
	ret = iommufd_iova_map_reserve_regions(&ioas->iovas, &regions, dev,
					       window);
	mutex_unlock(&ioas->iova_lock);
	iommu_put_resv_regions(dev, &regions);
	return ret;
}

/**
 * iommufd_ioas_unreserve_device - end the reservations of a device
 * @ioas: the IOAS
 * @dev: the device, which no longer uses the IOAS
 */
void iommufd_ioas_unreserve_device(struct iommufd_ioas *ioas,
				   struct device *dev)
{
	mutex_lock(&ioas->iova_lock);
	iommufd_iova_map_unreserve(&ioas->iovas, dev);
	mutex_unlock(&ioas->iova_lock);
}
