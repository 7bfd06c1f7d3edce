// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers of devices call, VFIO before all: bind a device to a context,
 * attach it to a page table. Their kernel-doc is the kernel API's documentation.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/module.h>

#include "core/ctx.h"
#include "device/device.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Bind devices although the platform can't keep the interrupts of one from being triggered by another. Any user of a device can then attack the kernel.");

static void device_destroy_object(struct iommufd_object *obj)
{
	struct iommufd_device *idev =
		container_of(obj, struct iommufd_device, obj);

	WARN_ON(idev->hwpt);
	iommu_device_release_dma_owner(idev->dev);
	iommufd_group_put(idev->igroup);
}

const struct iommufd_object_ops iommufd_device_ops = {
	.destroy = device_destroy_object,
};

static int check_msi(struct iommufd_group *igroup, struct device *dev)
{
	if (iommu_group_has_isolated_msi(igroup->group))
		return 0;
	if (!READ_ONCE(allow_unsafe_interrupts))
		return -EPERM;
	dev_warn(dev,
		 "MSI interrupts are not secure, they cannot be isolated by the platform. Bound because of allow_unsafe_interrupts\n");
	return 0;
}

/**
 * iommufd_device_bind - bind a physical device to a context
 * @ictx: context to bind it to, of which a reference is taken
 * @dev: the device; the caller is its driver and keeps it
 * @id: set to the id of the new device object
 *
 * The device and the others of its IOMMU group can do no DMA, until they are
 * attached. The driver must not let it do any before it is bound. Ended with
 * iommufd_device_unbind().
 *
 * Context: process context, may sleep.
 *
 * Returns the bound device or an ERR_PTR: -ENODEV if no IOMMU is in front of
 * the device, -EINVAL if its DMA is not coherent, -EPERM if interrupts are not
 * isolated or the group belongs to another owner, -EBUSY if a kernel driver
 * uses the group, -ENOMEM.
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx,
					   struct device *dev, u32 *id)
{
	struct iommufd_device *idev;
	struct iommufd_group *igroup;
	int ret;

	igroup = iommufd_group_get(ictx, dev);
	if (IS_ERR(igroup))
		return ERR_CAST(igroup);

	/* Mappings are IOMMU_CACHE and user space can't flush CPU caches. */
	ret = -EINVAL;
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		goto put_group;
	ret = check_msi(igroup, dev);
	if (ret)
		goto put_group;
	ret = iommu_device_claim_dma_owner(dev, ictx);
	if (ret)
		goto put_group;

	idev = iommufd_object_alloc(ictx, idev, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(idev)) {
		ret = PTR_ERR(idev);
		goto release_owner;
	}
	idev->ctx = ictx;
	idev->igroup = igroup;
	idev->dev = dev;
	/* Only its driver ends it, never the user. */
	refcount_inc(&idev->obj.users);
	iommufd_ctx_get(ictx);
	*id = idev->obj.id;
	iommufd_object_publish(ictx, &idev->obj);
	return idev;

release_owner:
	iommu_device_release_dma_owner(dev);
put_group:
	iommufd_group_put(igroup);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind, "IOMMUFD");

/**
 * iommufd_device_unbind - end what iommufd_device_bind() began
 * @idev: the device, detached; gone after this
 *
 * Context: process context, may sleep. Never fails.
 */
void iommufd_device_unbind(struct iommufd_device *idev)
{
	struct iommufd_ctx *ctx = idev->ctx;

	iommufd_object_drop(&idev->obj);
	iommufd_object_remove(ctx, &idev->obj);
	iommufd_ctx_put(ctx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind, "IOMMUFD");

/**
 * iommufd_ctx_has_group - whether a device of a group is bound to a context
 * @ictx: the context
 * @group: the IOMMU group
 *
 * Context: any that may take a spinlock. The answer may be outdated at once.
 */
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	return ictx && group && xa_load(&ictx->groups, iommu_group_id(group));
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_has_group, "IOMMUFD");

/**
 * iommufd_device_to_ictx - the context that a device is bound to
 * @idev: the device
 *
 * Returns the context without a new reference.
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->ctx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_ictx, "IOMMUFD");

/**
 * iommufd_device_to_id - the id of a device object
 * @idev: the device
 */
u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->obj.id;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_id, "IOMMUFD");

/**
 * iommufd_device_attach - attach a device to a page table
 * @idev: the device, not attached
 * @pasid: IOMMU_NO_PASID; others are not supported yet
 * @pt_id: id of an IOAS or of a page table; set to the id of the page table
 *
 * With an IOAS, a page table that follows it is chosen or made. Once this
 * returns, the device can do DMA to what is mapped. Ended with
 * iommufd_device_detach().
 *
 * Context: process context, may sleep. The driver serialises its calls for one
 * device.
 *
 * Returns 0 or a negative errno, having changed nothing: -ENOENT if there is no
 * such object, -EINVAL if it is of another type, the group is attached to
 * another page table, or the device and the page table are not compatible,
 * -EADDRINUSE if something is mapped that the device or the page table can't
 * reach, -EOPNOTSUPP, -ENOMEM, -EFAULT if mapped memory can't be pinned.
 */
int iommufd_device_attach(struct iommufd_device *idev, ioasid_t pasid,
			  u32 *pt_id)
{
	if (pasid != IOMMU_NO_PASID)
		return -EOPNOTSUPP;
	return iommufd_attach(idev, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach, "IOMMUFD");

/**
 * iommufd_device_replace - move an attached device to another page table
 * @idev: the device, attached
 * @pasid: IOMMU_NO_PASID or a PASID
 * @pt_id: id of an IOAS or of a page table; set to the id of the page table
 *
 * Context: process context, may sleep.
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iommufd_device_replace(struct iommufd_device *idev, ioasid_t pasid,
			   u32 *pt_id)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_replace, "IOMMUFD");

/**
 * iommufd_device_detach - end what iommufd_device_attach() began
 * @idev: the device
 * @pasid: the same as for the attach
 *
 * No DMA of the device gets through any more when this returns.
 *
 * Context: process context, may sleep. Never fails.
 */
void iommufd_device_detach(struct iommufd_device *idev, ioasid_t pasid)
{
	if (!WARN_ON(pasid != IOMMU_NO_PASID || !idev->hwpt))
		iommufd_detach(idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_detach, "IOMMUFD");
