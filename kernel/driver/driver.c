// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of iommufd that IOMMU drivers link to. It is built in even if
 * iommufd is a module.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "core/ctx.h"
#include "core/mmap.h"
#include "core/object.h"
#include "device/device.h"
#include "trace/driver_events.h"
#include "viommu/veventq.h"

/**
 * _iommufd_object_depend - make an object of a driver depend on a sibling
 * @obj_dependent: the object that depends
 * @obj_depended: the object that can't be destroyed as long as @obj_dependent
 *	depends on it; the caller must make sure that it is in memory
 *
 * Undo with _iommufd_object_undepend().
 *
 * Context: Process context. Does not sleep, so that spinlocks may be held.
 *
 * Return: 0, -EINVAL if the objects are not two different hardware queues, or
 * -ENOENT if the sibling is being created or destroyed.
 */
int _iommufd_object_depend(struct iommufd_object *obj_dependent,
			   struct iommufd_object *obj_depended)
{
	struct iommufd_hw_queue *queue =
		container_of(obj_depended, struct iommufd_hw_queue, obj);

	if (WARN_ON_ONCE(obj_dependent->type != IOMMUFD_OBJ_HW_QUEUE ||
			 obj_depended->type != IOMMUFD_OBJ_HW_QUEUE ||
			 obj_dependent == obj_depended))
		return -EINVAL;
	if (!iommufd_object_hold(queue->viommu->ictx, obj_depended))
		return -ENOENT;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(_iommufd_object_depend, "IOMMUFD");

/**
 * _iommufd_object_undepend - undo _iommufd_object_depend()
 * @obj_dependent: the object that depends
 * @obj_depended: the object that it depends on
 *
 * Context: Any context.
 */
void _iommufd_object_undepend(struct iommufd_object *obj_dependent,
			      struct iommufd_object *obj_depended)
{
	if (!WARN_ON_ONCE(obj_dependent->type != obj_depended->type ||
			  obj_dependent == obj_depended))
		iommufd_object_drop(obj_depended);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_object_undepend, "IOMMUFD");

/* Choose the lowest free offset in the file; 0 is never used. */
static int place_mmap(struct iommufd_ctx *ctx, struct iommufd_mmap *new)
{
	unsigned long offset = PAGE_SIZE, last;
	struct iommufd_mmap *each;

	lockdep_assert_held(&ctx->mmaps_lock);

	list_for_each_entry(each, &ctx->mmaps, node) {
		if (each->offset - offset >= new->length)
			break;
		offset = each->offset + each->length;
	}
	if (check_add_overflow(offset, new->length, &last))
		return -ENOSPC;
	new->offset = offset;
	/* Insert before the next one, or at the end. */
	list_add_tail(&new->node, &each->node);
	return 0;
}

/**
 * _iommufd_alloc_mmap - let user space map hardware pages of an object
 * @ictx: the context
 * @owner: the object, which can't be destroyed while they are mapped
 * @mmio_addr: physical address of the pages
 * @length: bytes
 * @offset: set to the offset that user space passes to mmap()
 *
 * User space can't map the pages before the object is published. Undo with
 * _iommufd_destroy_mmap().
 *
 * Context: Process context. May sleep.
 *
 * Return: 0, -EINVAL if the range does not consist of whole pages, -ENOSPC or
 * -ENOMEM.
 */
int _iommufd_alloc_mmap(struct iommufd_ctx *ictx, struct iommufd_object *owner,
			phys_addr_t mmio_addr, size_t length,
			unsigned long *offset)
{
	struct iommufd_mmap *new;
	int ret;

	if (WARN_ON_ONCE(!length ||
			 !PAGE_ALIGNED(mmio_addr) || !PAGE_ALIGNED(length)))
		return -EINVAL;
	new = kzalloc_obj(*new, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->owner = owner;
	new->phys = mmio_addr;
	new->length = length;

	mutex_lock(&ictx->mmaps_lock);
	ret = place_mmap(ictx, new);
	mutex_unlock(&ictx->mmaps_lock);
	if (ret)
		kfree(new);
	else
		*offset = new->offset;
	return ret;
}
EXPORT_SYMBOL_NS_GPL(_iommufd_alloc_mmap, "IOMMUFD");

/**
 * _iommufd_destroy_mmap - undo _iommufd_alloc_mmap()
 * @ictx: the context
 * @owner: the object, not published or being destroyed
 * @offset: the offset that _iommufd_alloc_mmap() has set
 *
 * Context: Process context. May sleep. Never fails.
 */
void _iommufd_destroy_mmap(struct iommufd_ctx *ictx,
			   struct iommufd_object *owner, unsigned long offset)
{
	struct iommufd_mmap *each, *found = NULL;

	mutex_lock(&ictx->mmaps_lock);
	list_for_each_entry(each, &ictx->mmaps, node)
		if (each->offset == offset && each->owner == owner)
			found = each;
	if (!WARN_ON(!found))
		list_del(&found->node);
	mutex_unlock(&ictx->mmaps_lock);
	kfree(found);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_destroy_mmap, "IOMMUFD");

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

MODULE_DESCRIPTION("The part of iommufd that IOMMU drivers call");
MODULE_LICENSE("GPL");
