// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vDEVICE represents a device in a vIOMMU, with the id by which the guest
 * knows it. It is destroyed by the user, or when the driver unbinds the device.
 * In the latter case a tombstone reserves its object id: the user may still
 * destroy it and must not hit another object.
 */
#include <linux/iommu.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "device/device.h"
#include "trace/fail.h"
#include "trace/guest_events.h"
#include "viommu/viommu.h"

/*
 * A device has at most one vDEVICE. The vDEVICE holds a reference to the device
 * as a running call does, so that an unbind waits for it. The unbind first
 * destroys the vDEVICE itself, see iommufd_vdevice_unbind().
 */
static int claim_device(struct iommufd_vdevice *vdev)
{
	struct iommufd_device *idev = vdev->idev;
	int ret = 0;

	mutex_lock(&idev->igroup->lock);
	if (idev->unbinding)
		ret = iommufd_fail_ending(idev->obj.id);
	else if (idev->vdev)
		ret = iommufd_fail(-EEXIST, IOMMUFD_REASON_DUPLICATE,
				   idev->obj.id, 0);
	else
		idev->vdev = vdev;
	mutex_unlock(&idev->igroup->lock);
	return ret;
}

static void release_device(struct iommufd_vdevice *vdev)
{
	struct iommufd_device *idev = vdev->idev;

	mutex_lock(&idev->igroup->lock);
	idev->vdev = NULL;
	mutex_unlock(&idev->igroup->lock);
}

/* Drivers find the vDEVICE by its virtual id only after vdevice_init(). */
static int insert(struct iommufd_vdevice *vdev)
{
	struct iommufd_viommu *viommu = vdev->viommu;
	bool is_later = viommu->ops && viommu->ops->vdevice_init;
	int ret;

	ret = xa_insert(&viommu->vdevs, vdev->virt_id, is_later ? NULL : vdev,
			GFP_KERNEL_ACCOUNT);
	if (ret == -EBUSY)
		return iommufd_fail(-EEXIST, IOMMUFD_REASON_DUPLICATE,
				    vdev->virt_id, 0);
	if (ret || !is_later)
		return ret;
	ret = viommu->ops->vdevice_init(vdev);
	if (ret) {
		iommufd_fail_driver(ret);
		xa_release(&viommu->vdevs, vdev->virt_id);
		return ret;
	}
	/* The entry is reserved, so this can't fail. */
	xa_store(&viommu->vdevs, vdev->virt_id, vdev, GFP_KERNEL);
	return 0;
}

static void remove(struct iommufd_vdevice *vdev)
{
	xa_erase(&vdev->viommu->vdevs, vdev->virt_id);
	if (vdev->destroy)
		vdev->destroy(vdev);
}

static void vdevice_destroy(struct iommufd_object *obj)
{
	struct iommufd_vdevice *vdev =
		container_of(obj, struct iommufd_vdevice, obj);
	struct iommufd_device *idev = vdev->idev;

	remove(vdev);
	release_device(vdev);
	iommufd_object_undepend(&vdev->viommu->obj);
	/* The device may be freed after this. */
	iommufd_object_put(idev->ctx, &idev->obj);
}

const struct iommufd_object_ops iommufd_vdevice_ops = {
	.destroy = vdevice_destroy,
};

/* Either an unbind finds the vDEVICE in the table, or we notice the unbind. */
static int publish(struct iommufd_vdevice *vdev)
{
	struct iommufd_device *idev = vdev->idev;
	int ret = 0;

	mutex_lock(&idev->igroup->lock);
	if (idev->unbinding) {
		ret = iommufd_fail_ending(idev->obj.id);
	} else {
		iommufd_object_depend(idev->ctx, &vdev->viommu->obj, 1);
		iommufd_object_publish(idev->ctx, &vdev->obj);
	}
	mutex_unlock(&idev->igroup->lock);
	return ret;
}

static int set_up(struct iommufd_vdevice *vdev, struct iommufd_ucmd *ucmd)
{
	struct iommu_vdevice_alloc *cmd = ucmd->cmd;
	int ret;

	ret = claim_device(vdev);
	if (ret)
		return ret;
	ret = insert(vdev);
	if (ret)
		goto release;
	cmd->out_vdevice_id = vdev->obj.id;
	ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (!ret)
		ret = publish(vdev);
	if (ret)
		goto remove;
	return 0;

remove:
	remove(vdev);
release:
	release_device(vdev);
	return ret;
}

/*
 * On success, the vDEVICE takes over the caller's reference to the device and
 * depends on the vIOMMU.
 */
static int alloc_vdevice(struct iommufd_ucmd *ucmd,
			 struct iommufd_viommu *viommu,
			 struct iommufd_device *idev)
{
	struct iommu_vdevice_alloc *cmd = ucmd->cmd;
	size_t size = sizeof(struct iommufd_vdevice);
	struct iommufd_vdevice *vdev;
	struct iommufd_object *obj;
	int ret;

	if (iommufd_device_is_noiommu(idev) ||
	    viommu->iommu_dev != __iommu_get_iommu_dev(idev->dev))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_OTHER_IOMMU,
				    viommu->obj.id, idev->obj.id);
	if (viommu->ops && viommu->ops->vdevice_size) {
		if (WARN_ON_ONCE(viommu->ops->vdevice_size < size))
			return iommufd_fail_driver(-EOPNOTSUPP);
		size = viommu->ops->vdevice_size;
	}

	obj = __iommufd_object_alloc(ucmd->ctx, size, IOMMUFD_OBJ_VDEVICE);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	vdev = container_of(obj, struct iommufd_vdevice, obj);
	vdev->viommu = viommu;
	vdev->idev = idev;
	vdev->virt_id = cmd->virt_id;
	ret = set_up(vdev, ucmd);
	if (ret)
		iommufd_object_abort(ucmd->ctx, obj);
	return ret;
}

int iommufd_cmd_vdevice_alloc(struct iommufd_ucmd *ucmd)
{
	u64 start_ns = iommufd_trace_start(iommufd_vdevice_alloc);
	struct iommu_vdevice_alloc *cmd = ucmd->cmd;
	struct iommufd_viommu *viommu;
	struct iommufd_object *dev;
	int ret;

	/* The virtual id is the index of an xarray. */
	if (cmd->virt_id > ULONG_MAX)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_OUT_OF_RANGE,
				    cmd->virt_id, ULONG_MAX);

	viommu = iommufd_viommu_get(ucmd->ctx, cmd->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	dev = iommufd_object_get(ucmd->ctx, cmd->dev_id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
	} else {
		ret = alloc_vdevice(ucmd, viommu, to_device(dev));
		if (ret)
			iommufd_object_put(ucmd->ctx, dev);
	}
	trace_iommufd_vdevice_alloc(ucmd->ctx->number,
				    ret ? 0 : cmd->out_vdevice_id,
				    cmd->viommu_id, cmd->dev_id, cmd->virt_id,
				    ret, iommufd_trace_ns(start_ns));
	iommufd_object_put(ucmd->ctx, &viommu->obj);
	return ret;
}

/**
 * iommufd_vdevice_unbind - destroy the vDEVICE of a device
 * @idev: the device, which its driver is unbinding; it can't get another
 *	vDEVICE
 *
 * If the user is already destroying the vDEVICE, this does not wait for it. The
 * unbind does, because of the reference that the vDEVICE holds to the device.
 *
 * Context: Process context. May sleep.
 */
void iommufd_vdevice_unbind(struct iommufd_device *idev)
{
	struct iommufd_vdevice *vdev;
	bool ours;

	mutex_lock(&idev->igroup->lock);
	idev->unbinding = true;
	vdev = idev->vdev;
	ours = vdev && iommufd_object_tombstone(idev->ctx, &vdev->obj);
	mutex_unlock(&idev->igroup->lock);

	if (ours)
		iommufd_object_finish(idev->ctx, &vdev->obj);
}
