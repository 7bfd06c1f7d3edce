// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU drivers look up the devices of a vIOMMU and report its events.
 */
#include <linux/export.h>
#include <linux/iommufd.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "core/ctx.h"
#include "device/device.h"
#include "eventq/veventq.h"
#include "trace/driver_events.h"

static struct device *vdevice_dev(const struct iommufd_vdevice *vdev)
{
	return vdev ? vdev->idev->dev : NULL;
}

/**
 * iommufd_viommu_get_vdev_id - get the virtual id of a device
 * @viommu: the vIOMMU
 * @dev: the device
 * @vdev_id: set to the virtual id
 *
 * Context: Process context. Takes and releases the xa_lock of @viommu->vdevs.
 *
 * Return: 0, or -ENOENT if the device has no vDEVICE in the vIOMMU.
 */
int iommufd_viommu_get_vdev_id(struct iommufd_viommu *viommu,
			       struct device *dev, unsigned long *vdev_id)
{
	struct iommufd_vdevice *found = NULL, *each;
	unsigned long key;

	xa_lock(&viommu->vdevs);
	xa_for_each(&viommu->vdevs, key, each)
		if (vdevice_dev(each) == dev)
			found = each;
	if (found)
		*vdev_id = found->virt_id;
	xa_unlock(&viommu->vdevs);
	return found ? 0 : -ENOENT;
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_get_vdev_id, "IOMMUFD");

/**
 * iommufd_viommu_find_dev - find the device of a virtual id
 * @viommu: the vIOMMU
 * @vdev_id: the virtual id
 *
 * Context: The caller must hold the xa_lock of @viommu->vdevs.
 *
 * Return: The device, which stays bound until the caller releases the lock, or
 * NULL.
 */
struct device *iommufd_viommu_find_dev(struct iommufd_viommu *viommu,
				       unsigned long vdev_id)
{
	lockdep_assert_held(&viommu->vdevs.xa_lock);
	return vdevice_dev(xa_load(&viommu->vdevs, vdev_id));
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_find_dev, "IOMMUFD");

/**
 * iommufd_vdevice_to_device - get the device of a vDEVICE
 * @vdev: the vDEVICE; the caller keeps it alive
 *
 * Context: Any context.
 *
 * Return: The device, which stays bound as long as the vDEVICE exists.
 */
struct device *iommufd_vdevice_to_device(struct iommufd_vdevice *vdev)
{
	return vdevice_dev(vdev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_vdevice_to_device, "IOMMUFD");

static struct iommufd_veventq *find_veventq(struct iommufd_viommu *viommu,
					    enum iommu_veventq_type type)
{
	struct iommufd_veventq *veventq;

	list_for_each_entry_rcu(veventq, &viommu->veventqs, node)
		if (veventq->type == type)
			return veventq;
	return NULL;
}

/* Queue an event; it is lost if there is no room or no memory for it. */
static int push_event(struct iommufd_veventq *veventq, const void *data,
		      size_t length)
{
	struct iommufd_vevent *event = NULL;
	u32 sequence = veventq->next_sequence;
	int ret = 0;

	lockdep_assert_held(&veventq->lock);

	if (veventq->nr_events < veventq->depth) {
		event = kzalloc_flex(*event, data, length,
				     GFP_ATOMIC | __GFP_NOWARN);
		if (!event)
			ret = -ENOMEM;
	}
	veventq->next_sequence = (sequence + 1) & INT_MAX;
	/* If an event is queued, a gap in the sequence reports lost ones. */
	veventq->lost = !event;
	if (!event) {
		veventq->nr_lost++;
		return ret;
	}

	event->header.sequence = sequence;
	event->length = length;
	memcpy(event->data, data, length);
	list_add_tail(&event->node, &veventq->events);
	veventq->nr_events++;
	return 0;
}

/**
 * iommufd_viommu_report_event - report an event of the hardware to user space
 * @viommu: the vIOMMU; the caller keeps it alive
 * @type: type of the event
 * @event_data: the event, in the user space format of @type
 * @data_len: bytes in @event_data
 *
 * Context: Any context.
 *
 * Return: 0, even if the event was lost because the queue is full, -EOPNOTSUPP
 * if the vIOMMU has no queue for this type, -EINVAL if there is no event data,
 * or -ENOMEM, in which case user space will learn that the event was lost.
 */
int iommufd_viommu_report_event(struct iommufd_viommu *viommu,
				enum iommu_veventq_type type, void *event_data,
				size_t data_len)
{
	struct iommufd_veventq *veventq;
	unsigned long flags;
	int ret = 0;

	if (WARN_ON_ONCE(!event_data || !data_len))
		return -EINVAL;

	/* The destruction of a queue waits for this section to end. */
	rcu_read_lock();
	veventq = find_veventq(viommu, type);
	if (!veventq) {
		ret = -EOPNOTSUPP;
		trace_iommufd_vevent(viommu->ictx->number, viommu->obj.id, 0,
				     type, data_len, 0, 0, ret);
		goto unlock;
	}
	spin_lock_irqsave(&veventq->lock, flags);
	if (!veventq->closed)
		ret = push_event(veventq, event_data, data_len);
	trace_iommufd_vevent(viommu->ictx->number, viommu->obj.id,
			     veventq->obj.id, type, data_len,
			     (veventq->next_sequence - 1) & INT_MAX,
			     veventq->nr_lost, ret);
	spin_unlock_irqrestore(&veventq->lock, flags);
	wake_up_interruptible(&veventq->eventq.wait);
unlock:
	rcu_read_unlock();
	return ret;
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_report_event, "IOMMUFD");
