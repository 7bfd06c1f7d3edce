// SPDX-License-Identifier: GPL-2.0-only
/*
 * A context in the role of VFIO's container: the IOAS that type1 requests act
 * on, and the functions that VFIO calls when a group is added to the container.
 * The kernel-doc of the exported functions documents the kernel API.
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
 * vfio_ioas of a context holds no reference: it is valid only while the IOAS is
 * in the table.
 */
static struct iommufd_ioas *current_ioas(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas = ctx->vfio_ioas;

	lockdep_assert_held(&ctx->objects.xa_lock);

	if (!ioas || iommufd_object_find(ctx, ioas->obj.id) != &ioas->obj)
		return NULL;
	return ioas;
}

static int no_ioas(void)
{
	return iommufd_fail(-ENODEV, IOMMUFD_REASON_NO_CONTAINER_IOAS, 0, 0);
}

/**
 * iommufd_vfio_ioas_get - look up the IOAS that type1 requests act on
 * @ctx: the context
 *
 * Release the reference with iommufd_object_put().
 *
 * Return: The IOAS, or ERR_PTR(-ENODEV) if the context has none for type1.
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
 * iommufd_vfio_compat_ioas_get_id - get the id of the IOAS for type1 requests
 * @ictx: the context
 * @out_ioas_id: set to the id of the IOAS
 *
 * Context: Process context. The result may be stale by the time it is returned.
 *
 * Return: 0, or -ENODEV if the context has no IOAS for type1 requests.
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
 * Serializes the creation of an IOAS for type1 requests with
 * iommufd_vfio_compat_set_no_iommu(): vfio_ioas is set before the IOAS is in
 * the table.
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
 * iommufd_vfio_compat_ioas_create - ensure that type1 requests have an IOAS
 * @ictx: the context
 *
 * Does nothing if the context already has an IOAS for type1 requests. Otherwise
 * one is allocated, which stays until the user destroys it.
 *
 * Context: Process context. May sleep.
 *
 * Return: 0, -EINVAL if the context was set up for devices without an IOMMU, or
 * -ENOMEM.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_request request;

	iommufd_request_begin(&request, ictx->number, VFIO_GROUP_SET_CONTAINER);
	return iommufd_request_end(&request, create_ioas(ictx));
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, "IOMMUFD_VFIO");

/**
 * iommufd_vfio_compat_set_no_iommu - prepare for devices without an IOMMU
 * @ictx: the context
 *
 * From now on, VFIO can't create an IOAS for type1 requests: a user that maps
 * memory expects that devices can access nothing else.
 *
 * Context: Process context. May sleep.
 *
 * Return: 0, or -EINVAL if the context already has an IOAS for type1 requests.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	struct iommufd_request request;
	int ret = 0;

	iommufd_request_begin(&request, ictx->number, VFIO_GROUP_SET_CONTAINER);
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
