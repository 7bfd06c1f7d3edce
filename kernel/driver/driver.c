// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part that IOMMU drivers link to. It is built in when iommufd is a module.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>

#include "device/device.h"
#include "iommu-priv.h"

/**
 * _iommufd_object_depend - make an object of a driver depend on a sibling
 * @obj_dependent: the one that depends
 * @obj_depended: the one that can't be destroyed meanwhile
 *
 * Ended with _iommufd_object_undepend().
 *
 * Returns 0, or -EINVAL if they are not of one type or the same.
 */
int _iommufd_object_depend(struct iommufd_object *obj_dependent,
			   struct iommufd_object *obj_depended)
{
	if (WARN_ON_ONCE(obj_dependent->type != obj_depended->type ||
			 obj_dependent == obj_depended))
		return -EINVAL;
	refcount_inc(&obj_depended->users);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(_iommufd_object_depend, "IOMMUFD");

/**
 * _iommufd_object_undepend - end what _iommufd_object_depend() began
 * @obj_dependent: the one that depends
 * @obj_depended: the one that it depends on
 */
void _iommufd_object_undepend(struct iommufd_object *obj_dependent,
			      struct iommufd_object *obj_depended)
{
	if (!WARN_ON_ONCE(obj_dependent->type != obj_depended->type ||
			  obj_dependent == obj_depended))
		refcount_dec(&obj_depended->users);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_object_undepend, "IOMMUFD");

/**
 * _iommufd_alloc_mmap - let user space map hardware pages of an object
 * @ictx: the context
 * @owner: the object
 * @mmio_addr: physical address of the pages
 * @length: bytes
 * @offset: set to what user space passes to mmap
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int _iommufd_alloc_mmap(struct iommufd_ctx *ictx, struct iommufd_object *owner,
			phys_addr_t mmio_addr, size_t length,
			unsigned long *offset)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(_iommufd_alloc_mmap, "IOMMUFD");

/**
 * _iommufd_destroy_mmap - end what _iommufd_alloc_mmap() began
 * @ictx: the context
 * @owner: the object
 * @offset: what was set
 */
void _iommufd_destroy_mmap(struct iommufd_ctx *ictx,
			   struct iommufd_object *owner, unsigned long offset)
{
	WARN_ON(offset);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_destroy_mmap, "IOMMUFD");

static struct device *vdevice_dev(const struct iommufd_vdevice *vdev)
{
	return vdev ? vdev->idev->dev : NULL;
}

/**
 * iommufd_viommu_get_vdev_id - the virtual id of a device
 * @viommu: the vIOMMU
 * @dev: the device
 * @vdev_id: set to the id
 *
 * Returns 0 or -ENOENT.
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
 * iommufd_viommu_find_dev - the device of a virtual id
 * @viommu: the vIOMMU, whose vdevs are locked by the caller
 * @vdev_id: the virtual id
 *
 * Returns the device, which the lock keeps, or NULL.
 */
struct device *iommufd_viommu_find_dev(struct iommufd_viommu *viommu,
				       unsigned long vdev_id)
{
	lockdep_assert_held(&viommu->vdevs.xa_lock);
	return vdevice_dev(xa_load(&viommu->vdevs, vdev_id));
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_find_dev, "IOMMUFD");

/**
 * iommufd_vdevice_to_device - the device behind a vDEVICE
 * @vdev: the vDEVICE
 *
 * Returns the device, which the caller's lock on the vDEVICE keeps.
 */
struct device *iommufd_vdevice_to_device(struct iommufd_vdevice *vdev)
{
	return vdevice_dev(vdev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_vdevice_to_device, "IOMMUFD");

/**
 * iommufd_viommu_report_event - hand an event of the hardware to user space
 * @viommu: the vIOMMU
 * @type: what kind of event
 * @event_data: the event, in the form that @type has for user space
 * @data_len: its bytes
 *
 * Returns -EOPNOTSUPP: no queue can be made yet.
 */
int iommufd_viommu_report_event(struct iommufd_viommu *viommu,
				enum iommu_veventq_type type, void *event_data,
				size_t data_len)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_report_event, "IOMMUFD");

#ifdef CONFIG_IRQ_MSI_IOMMU
/**
 * iommufd_sw_msi - make an MSI doorbell reachable through a page table
 * @domain: the page table, which belongs to iommufd
 * @desc: the interrupt
 * @msi_addr: physical address of the doorbell
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iommufd_sw_msi(struct iommu_domain *domain, struct msi_desc *desc,
		   phys_addr_t msi_addr)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_sw_msi, "IOMMUFD");
#endif

MODULE_DESCRIPTION("What IOMMU drivers call of iommufd");
MODULE_LICENSE("GPL");
