// SPDX-License-Identifier: GPL-2.0-only
/*
 * The request of user space to invalidate what an IOMMU has cached of a page
 * table that user space manages.
 */
#include <linux/iommu.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "hwpt/hwpt.h"
#include "trace/device_events.h"
#include "trace/fail.h"

#define MAX_ENTRIES	BIT(19)

static int check_array(const struct iommu_hwpt_invalidate *cmd)
{
	if (cmd->entry_num > MAX_ENTRIES || cmd->entry_len > PAGE_SIZE ||
	    (cmd->entry_num && (!cmd->data_uptr || !cmd->entry_len)))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_BAD_ARRAY,
				    cmd->entry_len, cmd->entry_num);
	return 0;
}

static int invalidate_hwpt(struct iommufd_hw_pagetable *hwpt,
			   struct iommu_user_data_array *array)
{
	if (hwpt->domain->ops->cache_invalidate_user)
		return hwpt->domain->ops->cache_invalidate_user(hwpt->domain,
								array);
	array->entry_num = 0;
	return -EOPNOTSUPP;
}

static int invalidate_viommu(struct iommufd_viommu *viommu,
			     struct iommu_user_data_array *array)
{
	if (viommu->ops && viommu->ops->cache_invalidate)
		return viommu->ops->cache_invalidate(viommu, array);
	array->entry_num = 0;
	return -EOPNOTSUPP;
}

/* Sets the number of entries to those that were handled. */
static int invalidate(struct iommufd_object *obj,
		      struct iommu_user_data_array *array)
{
	int ret;

	switch (obj->type) {
	case IOMMUFD_OBJ_HWPT_NESTED:
		ret = invalidate_hwpt(to_hwpt(obj), array);
		break;
	case IOMMUFD_OBJ_VIOMMU:
		ret = invalidate_viommu(container_of(obj, struct iommufd_viommu,
						     obj),
					array);
		break;
	default:
		array->entry_num = 0;
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_WRONG_TYPE, obj->id,
				    obj->type);
	}
	return ret ? iommufd_fail_driver(ret) : 0;
}

int iommufd_cmd_hwpt_invalidate(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	struct iommu_user_data_array array = {
		.type = cmd->data_type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.entry_len = cmd->entry_len,
		.entry_num = cmd->entry_num,
	};
	u64 start_ns = iommufd_trace_start(iommufd_hwpt_invalidate);
	struct iommufd_object *obj;
	u32 handled = 0;
	int ret;

	if (cmd->__reserved)
		ret = iommufd_fail_reserved(cmd->__reserved);
	else
		ret = check_array(cmd);
	if (ret)
		goto respond;
	obj = iommufd_object_get(ucmd->ctx, cmd->hwpt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj)) {
		ret = PTR_ERR(obj);
		goto respond;
	}
	ret = invalidate(obj, &array);
	handled = array.entry_num;
	trace_iommufd_hwpt_invalidate(ucmd->ctx->number, cmd->hwpt_id,
				      obj->type, cmd->data_type, cmd->entry_len,
				      cmd->entry_num, handled, ret,
				      iommufd_trace_ns(start_ns));
	iommufd_object_put(ucmd->ctx, obj);
respond:
	/* However it ended, the user learns how many entries were handled. */
	cmd->entry_num = handled;
	if (iommufd_ucmd_respond(ucmd, sizeof(*cmd)))
		return -EFAULT;
	return ret;
}
