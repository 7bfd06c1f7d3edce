// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bus with devices that exist only in software, and one IOMMU for all of
 * them.
 */
#include <linux/idr.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "iommu-priv.h"
#include "mock/driver.h"
#include "mock/iopf.h"
#include "mock/knobs.h"
#include "mock/mock.h"

static const struct bus_type mock_bus = {
	.name = "iommufd_mock",
};

static struct notifier_block mock_bus_notifier;
static struct iommu_device mock_iommu;
static DEFINE_IDA(mock_ids);

static const struct property_entry mock_pasid_properties[] = {
	PROPERTY_ENTRY_U32("pasid-num-bits", MOCK_PASID_WIDTH),
	{}
};

/* Lets the IOMMU core know that a device supports PASIDs. */
static const struct software_node mock_pasid_node = {
	.properties = mock_pasid_properties,
};

/**
 * iommufd_mock_owns - check whether a device is a mock device
 * @dev: a device
 *
 * A mock device belongs to the context that it is bound to and is destroyed
 * with it, so it must not keep the context alive. It has no interrupts.
 *
 * Return: true if it is a mock device.
 */
bool iommufd_mock_owns(struct device *dev)
{
	return dev->bus == &mock_bus;
}

/**
 * mock_probe_device - iommu_ops: get the IOMMU of a device
 * @dev: the device
 *
 * Return: the IOMMU, or ERR_PTR(-ENODEV) if it is not a mock device.
 */
struct iommu_device *mock_probe_device(struct device *dev)
{
	return iommufd_mock_owns(dev) ? &mock_iommu : ERR_PTR(-ENODEV);
}

static void mock_device_release(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	WARN_ON(!xa_empty(&mdev->domains) || mdev->nr_iopf);
	ida_free(&mock_ids, mdev->id);
	mutex_destroy(&mdev->lock);
	kfree(mdev);
}

static int attach_own_domain(struct mock_device *mdev)
{
	struct iommu_domain *domain = iommu_paging_domain_alloc(&mdev->dev);
	int ret;

	if (IS_ERR(domain))
		return PTR_ERR(domain);
	ret = iommu_attach_device(domain, &mdev->dev);
	if (ret)
		iommu_domain_free(domain);
	else
		mdev->own = domain;
	return ret;
}

static void detach_own_domain(struct mock_device *mdev)
{
	if (!mdev->own)
		return;
	iommu_detach_device(mdev->own, &mdev->dev);
	iommu_domain_free(mdev->own);
}

/**
 * mock_device_create - create a device
 * @flags: MOCK_FLAGS_DEVICE_*
 *
 * Return: the device, which the caller destroys with mock_device_destroy(), or
 * an ERR_PTR.
 */
struct mock_device *mock_device_create(u32 flags)
{
	struct mock_device *mdev;
	unsigned int i;
	int ret;

	if (flags & ~(MOCK_FLAGS_DEVICE_NO_DIRTY | MOCK_FLAGS_DEVICE_PASID))
		return ERR_PTR(-EOPNOTSUPP);

	mdev = kzalloc_obj(*mdev);
	if (!mdev)
		return ERR_PTR(-ENOMEM);
	mdev->id = ida_alloc(&mock_ids, GFP_KERNEL);
	if (mdev->id < 0) {
		ret = mdev->id;
		kfree(mdev);
		return ERR_PTR(ret);
	}
	mdev->flags = flags;
	mutex_init(&mdev->lock);
	xa_init(&mdev->domains);
	for (i = 0; i < MOCK_DEV_CACHE_NUM; i++)
		mdev->cache[i] = IOMMU_TEST_DEV_CACHE_DEFAULT;

	device_initialize(&mdev->dev);
	mdev->dev.bus = &mock_bus;
	mdev->dev.release = mock_device_release;
	if (flags & MOCK_FLAGS_DEVICE_PASID)
		device_set_node(&mdev->dev,
				software_node_fwnode(&mock_pasid_node));

	ret = dev_set_name(&mdev->dev, "iommufd_mock%d", mdev->id);
	if (!ret)
		ret = iommu_mock_device_add(&mdev->dev, &mock_iommu);
	if (ret) {
		/* A failed iommu_mock_device_add() may leave this behind. */
		kfree(mdev->dev.iommu);
		mdev->dev.iommu = NULL;
		put_device(&mdev->dev);
		return ERR_PTR(ret);
	}
	if (READ_ONCE(mock_knobs.own_domains)) {
		ret = attach_own_domain(mdev);
		if (ret) {
			device_unregister(&mdev->dev);
			return ERR_PTR(ret);
		}
	}
	return mdev;
}

/**
 * mock_device_destroy - destroy a device
 * @mdev: the device, not bound to anything
 */
void mock_device_destroy(struct mock_device *mdev)
{
	detach_own_domain(mdev);
	device_unregister(&mdev->dev);
}

/**
 * iommufd_mock_init - register the software IOMMU
 *
 * Return: 0 or a negative errno.
 */
int __init iommufd_mock_init(void)
{
	int ret;

	ret = software_node_register(&mock_pasid_node);
	if (ret)
		return ret;
	ret = bus_register(&mock_bus);
	if (ret)
		goto unregister_node;
	ret = mock_iopf_init();
	if (ret)
		goto unregister_bus;
	ret = iommu_device_sysfs_add(&mock_iommu, NULL, NULL, "iommufd_mock");
	if (ret)
		goto iopf_exit;
	mock_iommu.max_pasids = 1 << MOCK_PASID_WIDTH;
	ret = iommu_device_register_bus(&mock_iommu, &mock_iommu_ops,
					&mock_bus, &mock_bus_notifier);
	if (ret)
		goto remove_sysfs;
	mock_fault_init();
	mock_knobs_init();
	return 0;

remove_sysfs:
	iommu_device_sysfs_remove(&mock_iommu);
iopf_exit:
	mock_iopf_exit();
unregister_bus:
	bus_unregister(&mock_bus);
unregister_node:
	software_node_unregister(&mock_pasid_node);
	return ret;
}

/**
 * iommufd_mock_exit - unregister the software IOMMU
 *
 * There are no contexts left, hence no devices.
 */
void iommufd_mock_exit(void)
{
	mock_knobs_exit();
	mock_fault_exit();
	iommu_device_unregister_bus(&mock_iommu, &mock_bus, &mock_bus_notifier);
	iommu_device_sysfs_remove(&mock_iommu);
	mock_iopf_exit();
	bus_unregister(&mock_bus);
	software_node_unregister(&mock_pasid_node);
	ida_destroy(&mock_ids);
}
