// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot of a context contains one mock device and does what the driver of a
 * real device would do: bind and attach it. It is destroyed with the context at
 * the latest.
 */
#include <linux/slab.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "core/object.h"
#include "device/device.h"
#include "hwpt/hwpt.h"
#include "mock/driver.h"
#include "mock/mock.h"
#include "mock/slot.h"

/**
 * struct mock_slot - a slot
 * @obj: the object
 * @ctx: its context, which outlives it
 * @mdev: the device, whose lock serialises operations on @idev
 * @idev: the device as bound to the context
 * @pasids: the attached PASIDs
 */
struct mock_slot {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	struct mock_device *mdev;
	struct iommufd_device *idev;
	struct xarray pasids;
};

static void slot_detach_all(struct mock_slot *slot)
{
	unsigned long pasid;
	void *entry;

	mutex_lock(&slot->mdev->lock);
	xa_for_each(&slot->pasids, pasid, entry)
		iommufd_device_detach(slot->idev, pasid);
	iommufd_device_detach(slot->idev, IOMMU_NO_PASID);
	mutex_unlock(&slot->mdev->lock);
}

static void slot_destroy(struct iommufd_object *obj)
{
	struct mock_slot *slot = container_of(obj, struct mock_slot, obj);

	slot_detach_all(slot);
	xa_destroy(&slot->pasids);
	/* Waits for calls that use the device, so its lock must not be held. */
	iommufd_device_unbind(slot->idev);
	mock_device_destroy(slot->mdev);
}

const struct iommufd_object_ops iommufd_mock_slot_ops = {
	.destroy = slot_destroy,
};

static int slot_plug(struct mock_slot *slot, u32 flags, u32 *pt_id,
		     u32 *idev_id)
{
	int ret;

	slot->mdev = mock_device_create(flags);
	if (IS_ERR(slot->mdev))
		return PTR_ERR(slot->mdev);
	slot->idev = iommufd_device_bind(slot->ctx, &slot->mdev->dev, idev_id);
	if (IS_ERR(slot->idev)) {
		ret = PTR_ERR(slot->idev);
		goto destroy;
	}
	mutex_lock(&slot->mdev->lock);
	ret = iommufd_device_attach(slot->idev, IOMMU_NO_PASID, pt_id);
	mutex_unlock(&slot->mdev->lock);
	if (!ret)
		return 0;
	iommufd_device_unbind(slot->idev);
destroy:
	mock_device_destroy(slot->mdev);
	return ret;
}

/**
 * mock_slot_create - IOMMU_TEST_OP_MOCK_DOMAIN and _MOCK_DOMAIN_FLAGS
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_slot_create(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct mock_slot *slot;
	u32 pt_id = cmd->id;
	u32 flags = 0;
	u32 idev_id;
	int ret;

	if (cmd->op == IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS)
		flags = cmd->mock_domain_flags.dev_flags;

	slot = iommufd_object_alloc(ucmd->ctx, slot, IOMMUFD_OBJ_SELFTEST);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	slot->ctx = ucmd->ctx;
	xa_init(&slot->pasids);
	ret = slot_plug(slot, flags, &pt_id, &idev_id);
	if (ret)
		goto abort;

	/* Both operations have these fields in the same place. */
	cmd->mock_domain.out_stdev_id = slot->obj.id;
	cmd->mock_domain.out_hwpt_id = pt_id;
	cmd->mock_domain.out_idev_id = idev_id;
	ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (ret)
		goto unplug;
	iommufd_object_publish(ucmd->ctx, &slot->obj);
	return 0;

unplug:
	slot_destroy(&slot->obj);
abort:
	iommufd_object_abort(ucmd->ctx, &slot->obj);
	return ret;
}

static struct mock_slot *slot_get(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ctx, id, IOMMUFD_OBJ_SELFTEST);
	return IS_ERR(obj) ? ERR_CAST(obj) :
			     container_of(obj, struct mock_slot, obj);
}

static void slot_put(struct mock_slot *slot)
{
	iommufd_object_put(slot->ctx, &slot->obj);
}

static int slot_move(struct iommufd_ucmd *ucmd, ioasid_t pasid, u32 *pt_id)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct mock_slot *slot;
	int ret;

	slot = slot_get(ucmd->ctx, cmd->id);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	mutex_lock(&slot->mdev->lock);
	ret = iommufd_device_replace(slot->idev, pasid, pt_id);
	mutex_unlock(&slot->mdev->lock);
	slot_put(slot);
	return ret ?: iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}

/**
 * mock_slot_replace - IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_slot_replace(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;

	return slot_move(ucmd, IOMMU_NO_PASID, &cmd->mock_domain_replace.pt_id);
}

/**
 * mock_slot_pasid_replace - IOMMU_TEST_OP_PASID_REPLACE
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_slot_pasid_replace(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 pasid = cmd->pasid_replace.pasid;

	if (pasid == IOMMU_NO_PASID)
		return -EINVAL;
	return slot_move(ucmd, pasid, &cmd->pasid_replace.pt_id);
}

/**
 * mock_slot_pasid_attach - IOMMU_TEST_OP_PASID_ATTACH
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_slot_pasid_attach(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 pasid = cmd->pasid_attach.pasid;
	struct mock_slot *slot;
	int ret;

	if (pasid == IOMMU_NO_PASID)
		return -EINVAL;
	slot = slot_get(ucmd->ctx, cmd->id);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	mutex_lock(&slot->mdev->lock);
	ret = xa_reserve(&slot->pasids, pasid, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto unlock;
	ret = iommufd_device_attach(slot->idev, pasid,
				    &cmd->pasid_attach.pt_id);
	if (ret)
		xa_release(&slot->pasids, pasid);
	else
		xa_store(&slot->pasids, pasid, slot, GFP_KERNEL_ACCOUNT);
unlock:
	mutex_unlock(&slot->mdev->lock);
	slot_put(slot);
	return ret ?: iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}

/**
 * mock_slot_pasid_detach - IOMMU_TEST_OP_PASID_DETACH
 * @ucmd: the request
 *
 * Succeeds even if the PASID is not attached.
 *
 * Return: 0 or a negative errno.
 */
int mock_slot_pasid_detach(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 pasid = cmd->pasid_detach.pasid;
	struct mock_slot *slot;

	slot = slot_get(ucmd->ctx, cmd->id);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	mutex_lock(&slot->mdev->lock);
	if (xa_erase(&slot->pasids, pasid))
		iommufd_device_detach(slot->idev, pasid);
	mutex_unlock(&slot->mdev->lock);
	slot_put(slot);
	return 0;
}

static bool domain_is(struct iommu_domain *domain, struct iommufd_object *obj)
{
	switch (obj->type) {
	case IOMMUFD_OBJ_HWPT_PAGING:
	case IOMMUFD_OBJ_HWPT_NESTED:
		return to_hwpt(obj)->domain == domain;
	default:
		return false;
	}
}

/**
 * mock_slot_pasid_check - IOMMU_TEST_OP_PASID_CHECK_HWPT
 * @ucmd: the request; page table 0 means that none is attached
 *
 * Checks the state of the IOMMU driver, not that of iommufd.
 *
 * Return: 0, -EINVAL if the check fails, or another negative errno.
 */
int mock_slot_pasid_check(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommu_domain *domain;
	struct iommufd_object *obj;
	struct mock_slot *slot;
	int ret;

	slot = slot_get(ucmd->ctx, cmd->id);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	mutex_lock(&slot->mdev->lock);
	domain = xa_load(&slot->mdev->domains, cmd->pasid_check.pasid);
	mutex_unlock(&slot->mdev->lock);
	slot_put(slot);

	if (!cmd->pasid_check.hwpt_id)
		return domain ? -EINVAL : 0;
	obj = iommufd_object_get(ucmd->ctx, cmd->pasid_check.hwpt_id,
				 IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = domain_is(domain, obj) ? 0 : -EINVAL;
	iommufd_object_put(ucmd->ctx, obj);
	return ret;
}

/**
 * mock_idev_get - look up a mock device for the duration of a call
 * @ctx: the context
 * @id: id of the device object, not of the slot
 *
 * The caller must release the reference with iommufd_object_put().
 *
 * Return: the device or an ERR_PTR: -ENOENT if there is no device with this id,
 * -EINVAL if it is not a mock device.
 */
struct iommufd_device *mock_idev_get(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_device *idev;
	struct iommufd_object *obj;

	obj = iommufd_object_get(ctx, id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	idev = to_device(obj);
	if (iommufd_mock_owns(idev->dev))
		return idev;
	iommufd_object_put(ctx, obj);
	return ERR_PTR(-EINVAL);
}
