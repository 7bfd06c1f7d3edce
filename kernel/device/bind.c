// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions with which drivers of devices (mainly VFIO) bind a device to a
 * context. Their kernel-doc documents the kernel API.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/string.h>
#include <uapi/linux/vfio.h>

#include "core/ctx.h"
#include "device/device.h"
#include "mock/mock.h"
#include "trace/device_events.h"
#include "trace/fail.h"
#include "viommu/viommu.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Bind devices although the platform can't keep the interrupts of one from being triggered by another. Any user of a device can then attack the kernel.");

static void device_destroy_object(struct iommufd_object *obj)
{
	struct iommufd_device *idev =
		container_of(obj, struct iommufd_device, obj);

	if (!iommufd_device_is_noiommu(idev))
		iommu_device_release_dma_owner(idev->dev);
	iommufd_group_put(idev->igroup);
}

const struct iommufd_object_ops iommufd_device_ops = {
	.destroy = device_destroy_object,
};

static int check_msi(struct iommufd_group *igroup, struct device *dev)
{
	if (iommu_group_has_isolated_msi(igroup->group) ||
	    iommufd_mock_owns(dev))
		return 0;
	if (!READ_ONCE(allow_unsafe_interrupts))
		return iommufd_fail(-EPERM, IOMMUFD_REASON_INTERRUPTS,
				    iommu_group_id(igroup->group), 0);
	dev_warn(dev,
		 "MSI interrupts are not secure, they cannot be isolated by the platform. Bound because of allow_unsafe_interrupts\n");
	return 0;
}

/* Make sure that no one else controls the DMA of the group. */
static int claim_group(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;
	struct device *dev = idev->dev;
	int ret;

	/* Mappings use IOMMU_CACHE, as user space can't flush CPU caches. */
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_NOT_COHERENT, 0,
				    0);
	ret = check_msi(igroup, dev);
	if (ret)
		return ret;
	ret = iommu_device_claim_dma_owner(dev, idev->ctx);
	if (ret)
		iommufd_fail(ret, IOMMUFD_REASON_GROUP_OWNED,
			     iommu_group_id(igroup->group), -ret);
	return ret;
}

/*
 * A bound device holds a reference to the context for its driver. A device of
 * the software IOMMU is bound by the context itself and is destroyed with it.
 */
static bool keeps_ctx(struct iommufd_device *idev)
{
	return !iommufd_mock_owns(idev->dev);
}

static struct iommufd_device *bind(struct iommufd_ctx *ictx,
				   struct device *dev, u32 *id)
{
	struct iommufd_device *idev;
	struct iommufd_group *igroup;
	int ret;

	igroup = iommufd_group_get(ictx, dev);
	if (IS_ERR(igroup))
		return ERR_CAST(igroup);
	idev = iommufd_object_alloc(ictx, idev, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(idev)) {
		ret = PTR_ERR(idev);
		goto put_group;
	}
	idev->ctx = ictx;
	idev->igroup = igroup;
	idev->dev = dev;
	idev->group_number = iommufd_group_number(igroup);
	strscpy(idev->name, dev_name(dev));
	if (!iommufd_device_is_noiommu(idev)) {
		ret = claim_group(idev);
		if (ret)
			goto abort;
	}
	/* Only the driver may destroy the object, never the user. */
	refcount_inc(&idev->obj.users);
	if (keeps_ctx(idev))
		iommufd_ctx_get(ictx);
	*id = idev->obj.id;
	iommufd_object_publish(ictx, &idev->obj);
	return idev;

abort:
	iommufd_object_abort(ictx, &idev->obj);
put_group:
	iommufd_group_put(igroup);
	return ERR_PTR(ret);
}

static u32 group_number(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	u32 number = group ? iommu_group_id(group) : 0;

	iommu_group_put(group);
	return number;
}

/**
 * iommufd_device_bind - bind a physical device to a context
 * @ictx: context to bind it to; the bound device holds a reference
 * @dev: the device; the caller is its driver and keeps it alive
 * @id: set to the id of the new device object
 *
 * The device and the other devices of its IOMMU group can do no DMA until they
 * are attached. The driver must not start DMA before it has bound the device.
 * Undo with iommufd_device_unbind().
 *
 * With CONFIG_IOMMUFD_NOIOMMU, a device without an IOMMU can be bound, too. Its
 * DMA is not restricted in any way, so the driver must admit only users with
 * sufficient privileges.
 *
 * Context: Process context. May sleep.
 *
 * Return: The bound device or an ERR_PTR: -ENODEV if the device is not behind
 * an IOMMU, -EINVAL if its DMA is not coherent, -EPERM if interrupts are not
 * isolated or if a kernel driver or another owner has claimed the group, -EBUSY
 * if devices of the group are attached to a domain of another owner or are
 * being reset, -ENOMEM.
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx,
					   struct device *dev, u32 *id)
{
	u64 start_ns = iommufd_trace_start(iommufd_device_bind);
	struct iommufd_request request;
	struct iommufd_device *idev;
	int ret;

	iommufd_request_begin(&request, ictx->number, VFIO_DEVICE_BIND_IOMMUFD);
	idev = bind(ictx, dev, id);
	ret = PTR_ERR_OR_ZERO(idev);
	if (trace_iommufd_device_bind_enabled())
		trace_iommufd_device_bind(ictx->number, ret ? 0 : *id,
					  dev_name(dev), group_number(dev), ret,
					  iommufd_trace_ns(start_ns));
	iommufd_request_end(&request, ret);
	return idev;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind, "IOMMUFD");

/**
 * iommufd_device_unbind - undo iommufd_device_bind()
 * @idev: the device, already detached; it is freed
 *
 * Context: Process context. May sleep. Never fails.
 */
void iommufd_device_unbind(struct iommufd_device *idev)
{
	u64 start_ns = iommufd_trace_start(iommufd_device_unbind);
	u32 group = iommufd_group_number(idev->igroup);
	struct iommufd_ctx *ctx = idev->ctx;
	bool put_ctx = keeps_ctx(idev);
	struct device *dev = idev->dev;
	u32 id = idev->obj.id;

	iommufd_vdevice_unbind(idev);
	iommufd_object_remove(ctx, &idev->obj);
	trace_iommufd_device_unbind(ctx->number, id, dev_name(dev), group, 0,
				    iommufd_trace_ns(start_ns));
	if (put_ctx)
		iommufd_ctx_put(ctx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind, "IOMMUFD");

/**
 * iommufd_ctx_has_group - check if a device of a group is bound to a context
 * @ictx: the context, or NULL
 * @group: the IOMMU group, or NULL
 *
 * Context: Any context. The result may be stale by the time it is returned.
 *
 * Return: true if any device of the group is bound.
 */
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	return ictx && group && xa_load(&ictx->groups, iommu_group_id(group));
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_has_group, "IOMMUFD");

/**
 * iommufd_device_to_ictx - get the context that a device is bound to
 * @idev: the device
 *
 * Context: Any context.
 *
 * Return: The context. No reference is taken.
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->ctx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_ictx, "IOMMUFD");

/**
 * iommufd_device_to_id - get the id of a device object
 * @idev: the device
 *
 * Context: Any context.
 *
 * Return: The id.
 */
u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->obj.id;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_id, "IOMMUFD");
