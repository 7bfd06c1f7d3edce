// SPDX-License-Identifier: GPL-2.0-only
/*
 * A context that stands in for VFIO's container: which IOAS type1 requests go
 * to, and what VFIO asks of it when a group is put into it. The kernel-doc of
 * the exported functions is the kernel API's documentation.
 */
#include <linux/export.h>
#include <linux/iommufd.h>
#include <uapi/linux/vfio.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "ioas/ioas.h"
#include "trace/fail.h"
#include "vfio/vfio.h"

/*
 * vfio_ioas of a context has no reference: it is good for as long as the IOAS
 * is in the table.
 */
static struct iommufd_ioas *current_ioas(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas = ctx->vfio_ioas;

	lockdep_assert_held(&ctx->objects.xa_lock);

	if (!ioas || xa_load(&ctx->objects, ioas->obj.id) != &ioas->obj)
		return NULL;
	return ioas;
}

static int no_ioas(void)
{
	return iommufd_fail(-ENODEV, IOMMUFD_REASON_NO_CONTAINER_IOAS, 0, 0);
}

/**
 * iommufd_vfio_ioas_get - look up the IOAS that type1 requests go to
 * @ctx: the context
 *
 * Returns the IOAS, to be given back with iommufd_object_put(), or
 * ERR_PTR(-ENODEV) if there is none.
 */
struct iommufd_ioas *iommufd_vfio_ioas_get(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas;

	xa_lock(&ctx->objects);
	ioas = current_ioas(ctx);
	if (ioas)
		refcount_inc(&ioas->obj.wait_cnt);
	xa_unlock(&ctx->objects);
	return ioas ?: ERR_PTR(no_ioas());
}

/**
 * iommufd_vfio_ioas_forget - an IOAS is about to be freed
 * @ioas: the IOAS, out of the table
 */
void iommufd_vfio_ioas_forget(struct iommufd_ioas *ioas)
{
	struct iommufd_ctx *ctx = ioas->ctx;

	xa_lock(&ctx->objects);
	if (ctx->vfio_ioas == ioas)
		ctx->vfio_ioas = NULL;
	xa_unlock(&ctx->objects);
}

static int set_ioas(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_ioas *ioas;

	ioas = iommufd_ioas_get(ctx, id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	xa_lock(&ctx->objects);
	ctx->vfio_ioas = ioas;
	xa_unlock(&ctx->objects);
	iommufd_object_put(ctx, &ioas->obj);
	return 0;
}

int iommufd_cmd_vfio_ioas(struct iommufd_ucmd *ucmd)
{
	struct iommu_vfio_ioas *cmd = ucmd->cmd;
	struct iommufd_ctx *ctx = ucmd->ctx;
	int ret;

	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);

	switch (cmd->op) {
	case IOMMU_VFIO_IOAS_GET:
		ret = iommufd_vfio_compat_ioas_get_id(ctx, &cmd->ioas_id);
		return ret ?: iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	case IOMMU_VFIO_IOAS_SET:
		return set_ioas(ctx, cmd->ioas_id);
	case IOMMU_VFIO_IOAS_CLEAR:
		xa_lock(&ctx->objects);
		ctx->vfio_ioas = NULL;
		xa_unlock(&ctx->objects);
		return 0;
	default:
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_UNKNOWN_VALUE,
				    cmd->op, 0);
	}
}

/**
 * iommufd_vfio_compat_ioas_get_id - the IOAS that type1 requests go to
 * @ictx: the context
 * @out_ioas_id: set to its id
 *
 * Context: process context. The answer may be outdated at once.
 *
 * Returns 0, or -ENODEV if there is none.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	struct iommufd_ioas *ioas;

	xa_lock(&ictx->objects);
	ioas = current_ioas(ictx);
	if (ioas)
		*out_ioas_id = ioas->obj.id;
	xa_unlock(&ictx->objects);
	return ioas ? 0 : no_ioas();
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, "IOMMUFD_VFIO");

/*
 * Held by who makes an IOAS and by who rules it out: it is chosen before it is
 * in the table.
 */
static DEFINE_MUTEX(create_lock);

static int create_ioas(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;
	bool chosen = false;
	int ret = 0;

	ioas = iommufd_ioas_alloc(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	mutex_lock(&create_lock);
	xa_lock(&ictx->objects);
	if (ictx->vfio_noiommu) {
		ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_CONTAINER_NOIOMMU, 0,
				   0);
	} else if (!current_ioas(ictx)) {
		ictx->vfio_ioas = ioas;
		chosen = true;
	}
	xa_unlock(&ictx->objects);
	if (chosen)
		iommufd_object_publish(ictx, &ioas->obj);
	else
		iommufd_object_abort(ictx, &ioas->obj);
	mutex_unlock(&create_lock);
	return ret;
}

/**
 * iommufd_vfio_compat_ioas_create - make an IOAS for type1 requests
 * @ictx: the context
 *
 * One that is there serves as it is. One that is made here stays until the user
 * destroys it.
 *
 * Context: process context, may sleep.
 *
 * Returns 0, -EINVAL if the context has devices without an IOMMU, or -ENOMEM.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_request request;

	iommufd_request_begin(&request, ictx, VFIO_GROUP_SET_CONTAINER);
	return iommufd_request_end(&request, create_ioas(ictx));
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, "IOMMUFD_VFIO");

/**
 * iommufd_vfio_compat_set_no_iommu - a device without an IOMMU is on its way
 * @ictx: the context
 *
 * From now on it can't get an IOAS for type1 requests: who maps something
 * expects that devices are held to it.
 *
 * Context: process context, may sleep.
 *
 * Returns 0, or -EINVAL if there is such an IOAS.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	struct iommufd_request request;
	int ret = 0;

	iommufd_request_begin(&request, ictx, VFIO_GROUP_SET_CONTAINER);
	mutex_lock(&create_lock);
	xa_lock(&ictx->objects);
	if (current_ioas(ictx))
		ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_CONTAINER_NOIOMMU, 0,
				   0);
	else
		ictx->vfio_noiommu = true;
	xa_unlock(&ictx->objects);
	mutex_unlock(&create_lock);
	return iommufd_request_end(&request, ret);
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, "IOMMUFD_VFIO");
