// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of a context or of an IOAS.
 */
#include <linux/capability.h>

#include "core/ioctl.h"
#include "ioas/domains.h"
#include "ioas/ioas.h"
#include "trace/fail.h"

static int set_rlimit_mode(struct iommufd_ctx *ctx, u64 value)
{
	int ret = 0;

	if (!capable(CAP_SYS_RESOURCE))
		return iommufd_fail(-EPERM, IOMMUFD_REASON_NO_CAPABILITY,
				    CAP_SYS_RESOURCE, 0);
	if (value > 1)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_OUT_OF_RANGE,
				    value, 1);

	/* The accounting mode can't change once anything may be charged. */
	xa_lock(&ctx->objects);
	if (xa_empty(&ctx->objects))
		WRITE_ONCE(ctx->accounting, value ? IOMMUFD_ACCOUNT_MM :
						    IOMMUFD_ACCOUNT_USER);
	else
		ret = iommufd_fail(-EBUSY, IOMMUFD_REASON_NOT_EMPTY, value, 0);
	xa_unlock(&ctx->objects);
	return ret;
}

static int rlimit_mode(struct iommufd_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;

	if (cmd->object_id)
		return iommufd_fail_reserved(cmd->object_id);
	if (cmd->op == IOMMU_OPTION_OP_SET)
		return set_rlimit_mode(ucmd->ctx, cmd->val64);
	cmd->val64 = READ_ONCE(ucmd->ctx->accounting) == IOMMUFD_ACCOUNT_MM;
	return 0;
}

static int huge_pages(struct iommufd_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int ret = 0;

	ioas = iommufd_ioas_get(ucmd->ctx, cmd->object_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (cmd->op == IOMMU_OPTION_OP_GET)
		cmd->val64 = READ_ONCE(ioas->large_pages);
	else if (cmd->val64 > 1)
		ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_OUT_OF_RANGE,
				   cmd->val64, 1);
	else
		ret = iommufd_ioas_set_large_pages(ioas, cmd->val64);
	iommufd_object_put(ucmd->ctx, &ioas->obj);
	return ret;
}

int iommufd_cmd_option(struct iommufd_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;
	int ret;

	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);
	if (cmd->op > IOMMU_OPTION_OP_GET)
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_UNKNOWN_VALUE,
				    cmd->op, 0);

	switch (cmd->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		ret = rlimit_mode(ucmd);
		break;
	case IOMMU_OPTION_HUGE_PAGES:
		ret = huge_pages(ucmd);
		break;
	default:
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_UNKNOWN_VALUE,
				    cmd->option_id, 0);
	}
	if (!ret && cmd->op == IOMMU_OPTION_OP_GET)
		ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	return ret;
}
