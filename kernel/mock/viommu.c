// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vIOMMU of the software IOMMU: invalidation of device caches, events,
 * queues, and memory that a guest can map.
 */
#include <linux/slab.h>

#include "core/ioctl.h"
#include "core/object.h"
#include "device/device.h"
#include "mock/driver.h"
#include "mock/knobs.h"
#include "mock/nested.h"
#include "mock/slot.h"
#include "mock/viommu.h"

/* More than one page, so that tests can map a part of it. */
#define MOCK_MMAP_SIZE	(2 * PAGE_SIZE)

struct mock_hw_queue;

/**
 * struct mock_viommu - a vIOMMU
 * @core: the vIOMMU
 * @parent: second stage of its page tables, which it depends on
 * @memory: stands in for registers that the guest maps, or NULL
 * @offset: offset to mmap() it at
 */
struct mock_viommu {
	struct iommufd_viommu core;
	struct mock_paging *parent;
	u32 *memory;
	unsigned long offset;
	/** @lock: protects the fields below */
	struct mutex lock;
	/** @queues: by index; indices are used from 0 on without gaps */
	struct mock_hw_queue *queues[IOMMU_TEST_HW_QUEUE_MAX];
};

/**
 * struct mock_hw_queue - a queue in the guest's memory
 * @core: the queue
 * @prev: the queue with the previous index, which it depends on, or NULL
 * @index: its index
 */
struct mock_hw_queue {
	struct iommufd_hw_queue core;
	struct mock_hw_queue *prev;
	unsigned int index;
};

static struct mock_viommu *to_mock_viommu(struct iommufd_viommu *viommu)
{
	return container_of(viommu, struct mock_viommu, core);
}

static struct mock_hw_queue *to_mock_hw_queue(struct iommufd_hw_queue *queue)
{
	return container_of(queue, struct mock_hw_queue, core);
}

static void viommu_destroy(struct iommufd_viommu *viommu)
{
	struct mock_viommu *mock = to_mock_viommu(viommu);

	if (mock->memory) {
		iommufd_viommu_destroy_mmap(viommu, mock->offset);
		free_pages_exact(mock->memory, MOCK_MMAP_SIZE);
	}
	mutex_destroy(&mock->lock);
}

static struct iommu_domain *
viommu_alloc_domain_nested(struct iommufd_viommu *viommu, u32 flags,
			   const struct iommu_user_data *user_data)
{
	return mock_nested_alloc(to_mock_viommu(viommu), flags, user_data);
}

static void clear_cache(struct mock_device *mdev,
			const struct iommu_viommu_invalidate_selftest *inv)
{
	unsigned int i;

	for (i = 0; i < MOCK_DEV_CACHE_NUM; i++)
		if (i == inv->cache_id ||
		    (inv->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL))
			WRITE_ONCE(mdev->cache[i], 0);
}

static int viommu_invalidate(void *owner,
			     const union mock_invalidation *entry)
{
	const struct iommu_viommu_invalidate_selftest *inv = &entry->viommu;
	struct iommufd_viommu *viommu = owner;
	struct device *dev;

	if (inv->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (!(inv->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL) &&
	    inv->cache_id > MOCK_DEV_CACHE_ID_MAX)
		return -EINVAL;

	/* The lock keeps the virtual device, and thereby the device. */
	xa_lock(&viommu->vdevs);
	dev = iommufd_viommu_find_dev(viommu, inv->vdev_id);
	if (dev)
		clear_cache(to_mock_device(dev), inv);
	xa_unlock(&viommu->vdevs);
	return dev ? 0 : -EINVAL;
}

static int viommu_cache_invalidate(struct iommufd_viommu *viommu,
				   struct iommu_user_data_array *array)
{
	return mock_invalidate(array, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
			       sizeof(struct iommu_viommu_invalidate_selftest),
			       viommu_invalidate, viommu);
}

static size_t viommu_hw_queue_size(struct iommufd_viommu *viommu,
				   enum iommu_hw_queue_type type)
{
	if (type != IOMMU_HW_QUEUE_TYPE_SELFTEST)
		return 0;
	return HW_QUEUE_STRUCT_SIZE(struct mock_hw_queue, core);
}

static void hw_queue_destroy(struct iommufd_hw_queue *core)
{
	struct mock_viommu *viommu = to_mock_viommu(core->viommu);
	struct mock_hw_queue *queue = to_mock_hw_queue(core);

	mutex_lock(&viommu->lock);
	viommu->queues[queue->index] = NULL;
	if (queue->prev)
		iommufd_hw_queue_undepend(queue, queue->prev, core);
	mutex_unlock(&viommu->lock);
}

static int hw_queue_link(struct mock_viommu *viommu,
			 struct mock_hw_queue *queue)
{
	unsigned int index = queue->index;
	int ret;

	lockdep_assert_held(&viommu->lock);

	if (viommu->queues[index])
		return -EEXIST;
	if (index) {
		struct mock_hw_queue *prev = viommu->queues[index - 1];

		if (!prev)
			return -EIO;
		ret = iommufd_hw_queue_depend(queue, prev, core);
		if (ret)
			return ret;
		queue->prev = prev;
	}
	viommu->queues[index] = queue;
	return 0;
}

static int viommu_hw_queue_init(struct iommufd_hw_queue *core, u32 index,
				phys_addr_t base_addr_pa)
{
	struct mock_viommu *viommu = to_mock_viommu(core->viommu);
	struct mock_hw_queue *queue = to_mock_hw_queue(core);
	int ret;

	if (index >= IOMMU_TEST_HW_QUEUE_MAX)
		return -EINVAL;
	/* The memory is pinned at this address, so it must be mapped there. */
	if (iommu_iova_to_phys(&viommu->parent->domain, core->base_addr) !=
	    base_addr_pa)
		return -EFAULT;

	queue->index = index;
	mutex_lock(&viommu->lock);
	ret = hw_queue_link(viommu, queue);
	mutex_unlock(&viommu->lock);
	if (!ret)
		core->destroy = hw_queue_destroy;
	return ret;
}

/* There is nothing to set up. */
static int viommu_vdevice_init(struct iommufd_vdevice *vdev)
{
	return mock_hold(&mock_knobs.vdevices);
}

static const struct iommufd_viommu_ops mock_viommu_ops = {
	.destroy = viommu_destroy,
	.alloc_domain_nested = viommu_alloc_domain_nested,
	.cache_invalidate = viommu_cache_invalidate,
	.get_hw_queue_size = viommu_hw_queue_size,
	.hw_queue_init_phys = viommu_hw_queue_init,
	.vdevice_init = viommu_vdevice_init,
};

/**
 * mock_viommu_size - iommu_ops: get the size of a vIOMMU
 * @dev: a device behind the IOMMU
 * @type: the requested type
 *
 * Return: the size in bytes, or 0 if the type is not supported.
 */
size_t mock_viommu_size(struct device *dev, enum iommu_viommu_type type)
{
	if (type != IOMMU_VIOMMU_TYPE_SELFTEST)
		return 0;
	return VIOMMU_STRUCT_SIZE(struct mock_viommu, core);
}

/* Allocate memory for the guest to map; store the user's data and return it. */
static int viommu_share(struct mock_viommu *viommu,
			const struct iommu_user_data *user_data)
{
	struct iommu_viommu_selftest data;
	int ret;

	ret = iommu_copy_struct_from_user(&data, user_data,
					  IOMMU_VIOMMU_TYPE_SELFTEST,
					  out_mmap_length);
	if (ret)
		return ret;
	viommu->memory = alloc_pages_exact(MOCK_MMAP_SIZE,
					   GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!viommu->memory)
		return -ENOMEM;
	ret = iommufd_viommu_alloc_mmap(&viommu->core,
					virt_to_phys(viommu->memory),
					MOCK_MMAP_SIZE, &viommu->offset);
	if (ret)
		goto free;

	*viommu->memory = data.in_data;
	data.out_data = data.in_data;
	data.out_mmap_offset = viommu->offset;
	data.out_mmap_length = MOCK_MMAP_SIZE;
	ret = iommu_copy_struct_to_user(user_data, &data,
					IOMMU_VIOMMU_TYPE_SELFTEST,
					out_mmap_length);
	if (!ret)
		return 0;
	iommufd_viommu_destroy_mmap(&viommu->core, viommu->offset);
free:
	free_pages_exact(viommu->memory, MOCK_MMAP_SIZE);
	viommu->memory = NULL;
	return ret;
}

/**
 * mock_viommu_init - iommu_ops: initialise a vIOMMU
 * @viommu: the vIOMMU, zeroed except for the fields that iommufd sets
 * @parent: second stage of its page tables
 * @user_data: a struct iommu_viommu_selftest, or NULL
 *
 * Return: 0, -EINVAL if @parent can't be a second stage, or a negative errno if
 * the data can't be read or written.
 */
int mock_viommu_init(struct iommufd_viommu *viommu,
		     struct iommu_domain *parent,
		     const struct iommu_user_data *user_data)
{
	struct mock_viommu *mock = to_mock_viommu(viommu);
	int ret;

	mock->parent = to_mock_paging(parent);
	if (!mock->parent || !mock->parent->nest_parent)
		return -EINVAL;
	if (user_data) {
		ret = viommu_share(mock, user_data);
		if (ret)
			return ret;
	}
	mutex_init(&mock->lock);
	viommu->ops = &mock_viommu_ops;
	return 0;
}

/**
 * mock_viommu_check - check that a device has a virtual device
 * @viommu: the vIOMMU it must be in
 * @dev: the device
 *
 * Return: 0 or -ENOENT.
 */
int mock_viommu_check(struct mock_viommu *viommu, struct device *dev)
{
	unsigned long vdev_id;

	return iommufd_viommu_get_vdev_id(&viommu->core, dev, &vdev_id);
}

static int report(struct mock_device *mdev)
{
	struct iommu_viommu_event_selftest event = {};
	struct iommufd_viommu *viommu;
	unsigned long vdev_id;
	int ret;

	lockdep_assert_held(&mdev->lock);

	if (!mdev->viommu)
		return -ENODEV;
	viommu = &mdev->viommu->core;
	ret = iommufd_viommu_get_vdev_id(viommu, &mdev->dev, &vdev_id);
	if (ret)
		return ret;
	event.virt_id = vdev_id;
	return iommufd_viommu_report_event(viommu, IOMMU_VEVENTQ_TYPE_SELFTEST,
					   &event, sizeof(event));
}

/**
 * mock_viommu_trigger - IOMMU_TEST_OP_TRIGGER_VEVENT
 * @ucmd: the request: a device reports an event to its vIOMMU
 *
 * Return: 0 or a negative errno.
 */
int mock_viommu_trigger(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_device *idev;
	struct mock_device *mdev;
	int ret;

	idev = mock_idev_get(ucmd->ctx, cmd->trigger_vevent.dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	mdev = to_mock_device(idev->dev);
	mutex_lock(&mdev->lock);
	ret = report(mdev);
	mutex_unlock(&mdev->lock);
	iommufd_object_put(ucmd->ctx, &idev->obj);
	return ret;
}
