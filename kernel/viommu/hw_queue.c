// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues in guest memory that the IOMMU hardware accesses by physical address.
 * As this bypasses translation, iommufd must keep the memory in place: as long
 * as a queue exists, its pages stay pinned and can't be unmapped.
 */
#include <linux/iommu.h>

#include "core/ioctl.h"
#include "core/range.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "ioas/pin_phys.h"
#include "trace/fail.h"
#include "viommu/viommu.h"

static struct iommufd_hw_queue *to_hw_queue(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hw_queue, obj);
}

/*
 * The IOAS with the guest's memory. The vIOMMU depends on the page table, which
 * depends on the IOAS.
 */
static struct iommufd_ioas *ioas_of(struct iommufd_hw_queue *queue)
{
	return queue->viommu->hwpt->ioas;
}

static unsigned long last_of(struct iommufd_hw_queue *queue)
{
	return queue->base_addr + (queue->length - 1);
}

static void stop(struct iommufd_hw_queue *queue)
{
	if (queue->destroy)
		queue->destroy(queue);
	/* The hardware no longer accesses the memory, so it can be unmapped. */
	iommufd_ioas_unpin_phys(ioas_of(queue), queue->base_addr, last_of(queue));
}

static void hw_queue_destroy(struct iommufd_object *obj)
{
	struct iommufd_hw_queue *queue = to_hw_queue(obj);

	stop(queue);
	iommufd_object_undepend(&queue->viommu->obj);
}

const struct iommufd_object_ops iommufd_hw_queue_ops = {
	.destroy = hw_queue_destroy,
};

static int start(struct iommufd_hw_queue *queue, u32 index)
{
	phys_addr_t phys;
	int ret;

	ret = iommufd_ioas_pin_phys(ioas_of(queue), queue->base_addr, last_of(queue),
				    &phys);
	if (ret)
		return ret;
	ret = queue->viommu->ops->hw_queue_init_phys(queue, index, phys);
	if (!ret)
		return 0;
	iommufd_ioas_unpin_phys(ioas_of(queue), queue->base_addr, last_of(queue));
	return iommufd_fail_driver(ret);
}

static int set_up(struct iommufd_hw_queue *queue, struct iommufd_ucmd *ucmd)
{
	struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	int ret;

	ret = start(queue, cmd->index);
	if (ret)
		return ret;
	cmd->out_hw_queue_id = queue->obj.id;
	ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (ret) {
		stop(queue);
		return ret;
	}
	iommufd_object_depend(ucmd->ctx, &queue->viommu->obj, 1);
	iommufd_object_publish(ucmd->ctx, &queue->obj);
	return 0;
}

static int alloc_hw_queue(struct iommufd_ucmd *ucmd,
			  struct iommufd_viommu *viommu)
{
	struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	const struct iommufd_viommu_ops *ops = viommu->ops;
	struct iommufd_hw_queue *queue;
	struct iommufd_object *obj;
	size_t size;
	int ret;

	if (!ops || !ops->get_hw_queue_size || !ops->hw_queue_init_phys)
		return iommufd_fail_driver(-EOPNOTSUPP);
	size = ops->get_hw_queue_size(viommu, cmd->type);
	if (!size || WARN_ON_ONCE(size < sizeof(*queue)))
		return iommufd_fail_driver(-EOPNOTSUPP);

	obj = __iommufd_object_alloc(ucmd->ctx, size, IOMMUFD_OBJ_HW_QUEUE);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	queue = to_hw_queue(obj);
	queue->viommu = viommu;
	queue->type = cmd->type;
	queue->base_addr = cmd->nesting_parent_iova;
	queue->length = cmd->length;
	ret = set_up(queue, ucmd);
	if (ret)
		iommufd_object_abort(ucmd->ctx, obj);
	return ret;
}

static int check(const struct iommu_hw_queue_alloc *cmd)
{
	unsigned long last;

	if (cmd->flags)
		return iommufd_fail_flags(cmd->flags, 0);
	if (cmd->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_UNKNOWN_VALUE,
				    cmd->type, 0);
	return iommufd_range_last(cmd->nesting_parent_iova, cmd->length, &last);
}

int iommufd_cmd_hw_queue_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	struct iommufd_viommu *viommu;
	int ret;

	ret = check(cmd);
	if (ret)
		return ret;
	viommu = iommufd_viommu_get(ucmd->ctx, cmd->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	ret = alloc_hw_queue(ucmd, viommu);
	iommufd_object_put(ucmd->ctx, &viommu->obj);
	return ret;
}
