// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults that devices report at the request of a test.
 */
#include <linux/iommu.h>

#include "core/ioctl.h"
#include "core/object.h"
#include "device/device.h"
#include "mock/driver.h"
#include "mock/iopf.h"
#include "mock/slot.h"

static struct iopf_queue *iopf_queue;

int mock_iopf_init(void)
{
	iopf_queue = iopf_queue_alloc("iommufd_mock");
	return iopf_queue ? 0 : -ENOMEM;
}

void mock_iopf_exit(void)
{
	iopf_queue_free(iopf_queue);
}

/**
 * mock_iopf_replace - enable fault reports while a domain handles them
 * @mdev: the device
 * @domain: the domain that is attached, with or without a PASID
 * @old: the domain that it replaces, or NULL
 *
 * Return: 0 or a negative errno. This never fails for a domain that does not
 * handle faults.
 */
int mock_iopf_replace(struct mock_device *mdev, struct iommu_domain *domain,
		      struct iommu_domain *old)
{
	int ret;

	if (domain->iopf_handler) {
		if (!mdev->nr_iopf) {
			ret = iopf_queue_add_device(iopf_queue, &mdev->dev);
			if (ret)
				return ret;
		}
		mdev->nr_iopf++;
	}
	if (old && old->iopf_handler && !--mdev->nr_iopf)
		iopf_queue_remove_device(iopf_queue, &mdev->dev);
	return 0;
}

/**
 * mock_iopf_trigger - IOMMU_TEST_OP_TRIGGER_IOPF
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_iopf_trigger(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iopf_fault event = {
		.fault = {
			.type = IOMMU_FAULT_PAGE_REQ,
			.prm = {
				.flags = IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
				.pasid = cmd->trigger_iopf.pasid,
				.grpid = cmd->trigger_iopf.grpid,
				.perm = cmd->trigger_iopf.perm,
				.addr = cmd->trigger_iopf.addr,
			},
		},
	};
	struct iommufd_device *idev;
	struct mock_device *mdev;
	int ret;

	if (cmd->trigger_iopf.pasid != IOMMU_NO_PASID)
		event.fault.prm.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;

	idev = mock_idev_get(ucmd->ctx, cmd->trigger_iopf.dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	mdev = to_mock_device(idev->dev);
	mutex_lock(&mdev->lock);
	ret = iommu_report_device_fault(&mdev->dev, &event);
	mutex_unlock(&mdev->lock);
	iommufd_object_put(ucmd->ctx, &idev->obj);
	return ret;
}
