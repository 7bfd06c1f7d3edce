// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports the IOMMU of a device to user space: the data of its driver, and the
 * capabilities that iommufd and the device can use.
 */
#include <linux/log2.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/ctx.h"
#include "core/driver_core.h"
#include "core/ioctl.h"
#include "device/device.h"
#include "iommu-priv.h"
#include "trace/fail.h"

/* A PCI device has the PASID capabilities that were enabled in it. */
static u64 pasid_capabilities(struct device *dev)
{
	u64 capabilities = 0;
	int status;

	if (!dev->iommu->max_pasids || !dev_is_pci(dev))
		return 0;
	status = pci_pasid_status(to_pci_dev(dev));
	if (status < 0)
		return 0;
	if (status & PCI_PASID_CTRL_EXEC)
		capabilities |= IOMMU_HW_CAP_PCI_PASID_EXEC;
	if (status & PCI_PASID_CTRL_PRIV)
		capabilities |= IOMMU_HW_CAP_PCI_PASID_PRIV;
	return capabilities;
}

static u64 capabilities_of(struct device *dev)
{
	u64 capabilities = pasid_capabilities(dev);

	if (iommufd_tracks_dirty(dev))
		capabilities |= IOMMU_HW_CAP_DIRTY_TRACKING;
	if (!device_iommu_capable(dev, IOMMU_CAP_PCI_ATS_SUPPORTED))
		capabilities |= IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	return capabilities;
}

static u8 pasid_width(struct device *dev)
{
	u32 max_pasids = dev->iommu->max_pasids;

	return max_pasids ? ilog2(max_pasids) : 0;
}

/* Copy as much of the driver's data as fits; fill the rest with zeros. */
static int copy_data(struct iommu_hw_info *cmd, const void *data, u32 length)
{
	void __user *user = u64_to_user_ptr(cmd->data_uptr);
	u32 n = min(cmd->data_len, length);

	if (copy_to_user(user, data, n) ||
	    clear_user(user + n, cmd->data_len - n))
		return iommufd_fail_user(user, cmd->data_len);
	return 0;
}

static int hw_info(struct iommufd_device *idev, struct iommu_hw_info *cmd)
{
	enum iommu_hw_info_type type = IOMMU_HW_INFO_TYPE_DEFAULT;
	struct device *dev = idev->dev;
	const struct iommu_ops *ops;
	void *data = NULL;
	u32 length = 0;
	int ret;

	if (iommufd_device_is_noiommu(idev))
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_NO_IOMMU, 0, 0);
	ops = dev_iommu_ops(dev);
	if (cmd->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE)
		type = cmd->in_data_type;

	if (ops->hw_info) {
		data = ops->hw_info(dev, &length, &type);
		if (IS_ERR(data))
			return iommufd_fail_driver(PTR_ERR(data));
	} else if (type != IOMMU_HW_INFO_TYPE_DEFAULT) {
		return iommufd_fail_driver(-EOPNOTSUPP);
	}

	ret = copy_data(cmd, data, length);
	kfree(data);
	cmd->data_len = length;
	cmd->out_data_type = type;
	cmd->out_max_pasid_log2 = pasid_width(dev);
	cmd->out_capabilities = capabilities_of(dev);
	return ret;
}

/**
 * iommufd_cmd_get_hw_info - implement IOMMU_GET_HW_INFO
 * @ucmd: the request: a device and the type of the data to return
 *
 * Return: 0 or a negative errno.
 */
int iommufd_cmd_get_hw_info(struct iommufd_ucmd *ucmd)
{
	struct iommu_hw_info *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	int ret;

	if (cmd->flags & ~IOMMU_HW_INFO_FLAG_INPUT_TYPE)
		return iommufd_fail_flags(cmd->flags,
					  IOMMU_HW_INFO_FLAG_INPUT_TYPE);
	if (memchr_inv(cmd->__reserved, 0, sizeof(cmd->__reserved)))
		return iommufd_fail_reserved(1);

	obj = iommufd_object_get(ucmd->ctx, cmd->dev_id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = hw_info(to_device(obj), cmd);
	iommufd_object_put(ucmd->ctx, obj);
	return ret ?: iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}
