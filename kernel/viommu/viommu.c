// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vIOMMU is the slice of an IOMMU that is assigned to a guest. Its features
 * depend on the IOMMU driver, which embeds it in a structure of its own.
 */
#include <linux/iommu.h>

#include "core/driver_core.h"
#include "core/ioctl.h"
#include "device/device.h"
#include "hwpt/hwpt.h"
#include "iommu-priv.h"
#include "trace/fail.h"
#include "trace/guest_events.h"
#include "viommu/viommu.h"

static struct iommufd_viommu *to_viommu(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_viommu, obj);
}

static void release(struct iommufd_viommu *viommu)
{
	WARN_ON(!list_empty(&viommu->veventqs));
	if (WARN_ON(!xa_empty(&viommu->vdevs)))
		xa_destroy(&viommu->vdevs);
}

static void destroy_of_driver(struct iommufd_viommu *viommu)
{
	if (viommu->ops && viommu->ops->destroy)
		viommu->ops->destroy(viommu);
}

static void viommu_destroy(struct iommufd_object *obj)
{
	struct iommufd_viommu *viommu = to_viommu(obj);

	destroy_of_driver(viommu);
	release(viommu);
	iommufd_object_undepend(&viommu->hwpt->obj);
}

const struct iommufd_object_ops iommufd_viommu_ops = {
	.destroy = viommu_destroy,
};

/**
 * iommufd_viommu_get - look up a vIOMMU for the duration of a call
 * @ctx: the context
 * @id: id of the vIOMMU
 *
 * Release the reference with iommufd_object_put().
 *
 * Return: The vIOMMU or ERR_PTR(-ENOENT).
 */
struct iommufd_viommu *iommufd_viommu_get(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ctx, id, IOMMUFD_OBJ_VIOMMU);
	return IS_ERR(obj) ? ERR_CAST(obj) : to_viommu(obj);
}

/* Allocate the structure of the driver, which embeds the vIOMMU. */
static struct iommufd_viommu *alloc(struct iommufd_ctx *ctx, size_t size,
				    u32 type, struct iommufd_device *idev,
				    struct iommufd_hwpt_paging *hwpt)
{
	struct iommufd_viommu *viommu;
	struct iommufd_object *obj;

	if (!hwpt->nest_parent)
		return ERR_PTR(iommufd_fail(-EINVAL,
					    IOMMUFD_REASON_NOT_NEST_PARENT,
					    hwpt->obj.id, 0));
	/* Drivers cast it to their own type of page table. */
	if (hwpt->common.domain->owner != dev_iommu_ops(idev->dev))
		return ERR_PTR(iommufd_fail(-EINVAL, IOMMUFD_REASON_OTHER_IOMMU,
					    hwpt->obj.id, idev->obj.id));

	obj = __iommufd_object_alloc(ctx, size, IOMMUFD_OBJ_VIOMMU);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	viommu = to_viommu(obj);
	viommu->ictx = ctx;
	viommu->type = type;
	viommu->hwpt = hwpt;
	/* An IOMMU is never removed, even if no device is left behind it. */
	viommu->iommu_dev = __iommu_get_iommu_dev(idev->dev);
	xa_init_flags(&viommu->vdevs, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&viommu->veventqs);
	init_rwsem(&viommu->veventqs_rwsem);
	return viommu;
}

static int alloc_viommu(struct iommufd_ucmd *ucmd, struct iommufd_device *idev)
{
	struct iommu_viommu_alloc *cmd = ucmd->cmd;
	const struct iommu_user_data user_data = {
		.type = cmd->type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.len = cmd->data_len,
	};
	const struct iommu_ops *ops;
	struct iommufd_hwpt_paging *hwpt;
	struct iommufd_viommu *viommu;
	struct iommufd_object *obj;
	size_t size;
	int ret;

	if (iommufd_device_is_noiommu(idev))
		return iommufd_fail_driver(-EOPNOTSUPP);
	if (!iommufd_serves_viommus())
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_EXTERNAL_MODULE,
				    0, 0);
	ops = dev_iommu_ops(idev->dev);
	if (!ops->get_viommu_size || !ops->viommu_init)
		return iommufd_fail_driver(-EOPNOTSUPP);
	size = ops->get_viommu_size(idev->dev, cmd->type);
	if (!size || WARN_ON_ONCE(size < sizeof(*viommu)))
		return iommufd_fail_driver(-EOPNOTSUPP);

	obj = iommufd_object_get(ucmd->ctx, cmd->hwpt_id,
				 IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	hwpt = to_hwpt_paging(obj);
	viommu = alloc(ucmd->ctx, size, cmd->type, idev, hwpt);
	if (IS_ERR(viommu)) {
		ret = PTR_ERR(viommu);
		goto put;
	}
	ret = ops->viommu_init(viommu, hwpt->common.domain,
			       user_data.len ? &user_data : NULL);
	if (ret) {
		iommufd_fail_driver(ret);
		goto release;
	}
	cmd->out_viommu_id = viommu->obj.id;
	ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (ret)
		goto destroy;
	iommufd_object_depend(ucmd->ctx, obj, 1);
	iommufd_object_publish(ucmd->ctx, &viommu->obj);
	goto put;

destroy:
	destroy_of_driver(viommu);
release:
	release(viommu);
	iommufd_object_abort(ucmd->ctx, &viommu->obj);
put:
	iommufd_object_put(ucmd->ctx, obj);
	return ret;
}

int iommufd_cmd_viommu_alloc(struct iommufd_ucmd *ucmd)
{
	u64 start_ns = iommufd_trace_start(iommufd_viommu_alloc);
	struct iommu_viommu_alloc *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	int ret;

	if (cmd->flags)
		return iommufd_fail_flags(cmd->flags, 0);
	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);
	if (cmd->type == IOMMU_VIOMMU_TYPE_DEFAULT)
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_UNKNOWN_VALUE,
				    cmd->type, 0);

	obj = iommufd_object_get(ucmd->ctx, cmd->dev_id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = alloc_viommu(ucmd, to_device(obj));
	trace_iommufd_viommu_alloc(ucmd->ctx->number,
				   ret ? 0 : cmd->out_viommu_id, cmd->dev_id,
				   cmd->hwpt_id, cmd->type, ret,
				   iommufd_trace_ns(start_ns));
	iommufd_object_put(ucmd->ctx, obj);
	return ret;
}
