// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches a device or one of its PASIDs to a page table, replaces the page
 * table and detaches the device.
 *
 * Devices of a group are not isolated from each other, so they share their
 * attachments: the first device attaches the group, the last one detaches it,
 * and a replace moves all of them.
 */
#include <linux/pci-ats.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "builtin/doorbell.h"
#include "core/ctx.h"
#include "device/attachment.h"
#include "device/device.h"
#include "domain/msi.h"
#include "domain/noiommu.h"
#include "eventq/fault.h"
#include "hwpt/hwpt.h"
#include "hwpt/paging.h"
#include "ioas/ioas.h"
#include "iommu-priv.h"
#include "trace/fail.h"

static struct iommufd_ioas *ioas_of(struct iommufd_hw_pagetable *hwpt)
{
	return iommufd_hwpt_paging_of(hwpt)->ioas;
}

/*
 * Virtual functions share the page request interface (PRI) of their physical
 * function: a response that stops the page requests of one guest would stop
 * them for all. A function without PRI reports faults in another way, such as
 * SMMU stalls, which affect only that function; if it has no such way, the
 * IOMMU driver refuses it.
 */
static bool can_report_faults(struct device *dev)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(dev))
		return true;
	pdev = to_pci_dev(dev);
	return !pdev->is_virtfn || !pci_pri_supported(pdev);
}

/*
 * A device that uses PASIDs needs PASID compatible page tables, also for its
 * DMA without PASID.
 */
static bool pasids_compatible(struct iommufd_group *igroup, ioasid_t pasid,
			      struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_attachment *attachment;
	unsigned long index = IOMMU_NO_PASID;

	if (pasid == IOMMU_NO_PASID)
		return hwpt->pasid_compatible ||
		       !xa_find_after(&igroup->attachments, &index, ULONG_MAX,
				      XA_PRESENT);
	attachment = xa_load(&igroup->attachments, IOMMU_NO_PASID);
	if (attachment && !attachment->handle->hwpt->pasid_compatible)
		return false;
	return hwpt->pasid_compatible;
}

static int check_hwpt(struct iommufd_device *idev, ioasid_t pasid,
		      struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_hwpt_paging *paging = iommufd_hwpt_paging_of(hwpt);
	int ret;

	lockdep_assert_held(&idev->igroup->lock);

	/* A device can't use the page table of a device without an IOMMU. */
	if (iommufd_device_is_noiommu(idev) !=
	    iommufd_is_noiommu_domain(hwpt->domain))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_OTHER_IOMMU,
				    hwpt->obj.id, idev->obj.id);
	if (hwpt->fault && !can_report_faults(idev->dev))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_FAULTS_OF_VF,
				    hwpt->obj.id, 0);
	if (!pasids_compatible(idev->igroup, pasid, hwpt))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_NOT_FOR_PASIDS,
				    hwpt->obj.id, pasid);
	ret = iommufd_hwpt_paging_check(paging, idev);
	if (ret || pasid != IOMMU_NO_PASID || iommufd_device_is_noiommu(idev))
		return ret;
	ret = iommufd_domain_check_msi(&paging->mirror, idev->dev);
	if (ret == -EINVAL)
		iommufd_fail(ret, IOMMUFD_REASON_OTHER_IOMMU, hwpt->obj.id,
			     idev->obj.id);
	return ret;
}

/* Reserved regions apply to DMA without PASID only. */
static int reserve(struct iommufd_device *idev, ioasid_t pasid,
		   struct iommufd_ioas *ioas)
{
	if (pasid != IOMMU_NO_PASID || iommufd_device_is_noiommu(idev))
		return 0;
	return iommufd_ioas_reserve_device(ioas, idev->dev,
					   &idev->igroup->msi.window);
}

static void unreserve(struct iommufd_device *idev, ioasid_t pasid,
		      struct iommufd_ioas *ioas)
{
	if (pasid == IOMMU_NO_PASID && !iommufd_device_is_noiommu(idev))
		iommufd_ioas_unreserve_device(ioas, idev->dev);
}

/* For readers that list objects; they do not see PASIDs. */
static void note_hwpt(struct iommufd_device *idev, ioasid_t pasid, u32 hwpt_id)
{
	lockdep_assert_held(&idev->igroup->lock);

	if (pasid == IOMMU_NO_PASID)
		WRITE_ONCE(idev->hwpt_id, hwpt_id);
}

static struct iommufd_attach_handle *
alloc_handle(struct iommufd_group *igroup, u32 dev_id,
	     struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_attach_handle *handle;

	handle = kzalloc_obj(*handle, GFP_KERNEL_ACCOUNT);
	if (handle) {
		handle->hwpt = hwpt;
		handle->domain = &iommufd_hwpt_paging_of(hwpt)->mirror;
		handle->fault = hwpt->fault;
		handle->msi = &igroup->msi;
		handle->dev_id = dev_id;
		INIT_LIST_HEAD(&handle->msi_node);
	}
	return handle;
}

/*
 * Free a handle that is no longer attached: no more faults are reported to it,
 * and no MSI is translated by its page table. The MSI window must still be
 * reserved in the IOAS.
 */
static void free_handle(struct iommufd_attach_handle *handle)
{
	iommufd_doorbells_end(handle);
	if (handle->fault)
		iommufd_fault_flush(handle->fault, handle);
	kfree(handle);
}

/* MSIs carry no PASID, so only attachments without PASID need doorbells. */
static int attach_group(struct iommufd_device *idev, ioasid_t pasid,
			struct iommufd_attach_handle *handle)
{
	struct iommu_domain *domain = handle->hwpt->domain;
	int ret;

	if (iommufd_device_is_noiommu(idev))
		return 0;
	if (pasid != IOMMU_NO_PASID)
		return iommu_attach_device_pasid(domain, idev->dev, pasid,
						 &handle->handle);
	ret = iommufd_doorbells_begin(handle);
	if (ret)
		return ret;
	ret = iommu_attach_group_handle(domain, idev->igroup->group,
					&handle->handle);
	if (ret)
		iommufd_doorbells_end(handle);
	return ret;
}

static void detach_group(struct iommufd_device *idev, ioasid_t pasid,
			 struct iommufd_attach_handle *handle)
{
	struct iommu_domain *domain = handle->hwpt->domain;

	if (iommufd_device_is_noiommu(idev))
		return;
	if (pasid == IOMMU_NO_PASID)
		iommu_detach_group_handle(domain, idev->igroup->group);
	else
		iommu_detach_device_pasid(domain, idev->dev, pasid);
}

static int replace_group(struct iommufd_device *idev, ioasid_t pasid,
			 struct iommufd_attach_handle *handle)
{
	struct iommu_domain *domain = handle->hwpt->domain;
	int ret;

	if (iommufd_device_is_noiommu(idev))
		return 0;
	if (pasid != IOMMU_NO_PASID)
		return iommu_replace_device_pasid(domain, idev->dev, pasid,
						  &handle->handle);
	ret = iommufd_doorbells_begin(handle);
	if (ret)
		return ret;
	ret = iommu_replace_group_handle(idev->igroup->group, domain,
					 &handle->handle);
	if (ret)
		iommufd_doorbells_end(handle);
	return ret;
}

static struct iommufd_attached *
find_device(struct iommufd_attachment *attachment,
	    const struct iommufd_device *idev)
{
	struct iommufd_attached *each;

	list_for_each_entry(each, &attachment->devices, node)
		if (each->idev == idev)
			return each;
	return NULL;
}

static int add_device(struct iommufd_attachment *attachment,
		      struct iommufd_device *idev)
{
	struct iommufd_attached *attached;

	attached = kmalloc_obj(*attached, GFP_KERNEL_ACCOUNT);
	if (!attached)
		return -ENOMEM;
	attached->idev = idev;
	list_add_tail(&attached->node, &attachment->devices);
	return 0;
}

static void remove_device(struct iommufd_attached *attached)
{
	list_del(&attached->node);
	kfree(attached);
}

/* The first device of the group attaches it. */
static int new_attachment(struct iommufd_device *idev, ioasid_t pasid,
			  struct iommufd_hw_pagetable *hwpt)
{
	struct xarray *attachments = &idev->igroup->attachments;
	struct iommufd_attachment *attachment;
	int ret = -ENOMEM;

	attachment = kzalloc_obj(*attachment, GFP_KERNEL_ACCOUNT);
	if (!attachment)
		return -ENOMEM;
	INIT_LIST_HEAD(&attachment->devices);
	attachment->handle = alloc_handle(idev->igroup, idev->obj.id, hwpt);
	if (!attachment->handle)
		goto free_attachment;
	ret = add_device(attachment, idev);
	if (ret)
		goto free_handle;
	ret = xa_insert(attachments, pasid, attachment, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto remove_device;
	ret = attach_group(idev, pasid, attachment->handle);
	if (!ret)
		return 0;

	iommufd_fail_driver(ret);
	xa_erase(attachments, pasid);
remove_device:
	remove_device(find_device(attachment, idev));
free_handle:
	kfree(attachment->handle);
free_attachment:
	kfree(attachment);
	return ret;
}

/**
 * iommufd_attach_hwpt - attach a device to a page table
 * @idev: the device
 * @pasid: IOMMU_NO_PASID or a PASID
 * @hwpt: the page table; the caller makes sure that it can't leave the table of
 *	objects, see iommufd_object_depend(). On success the device depends on it
 *
 * Context: Process context. May sleep. Takes the lock of the device's group.
 *
 * Return: 0 or a negative errno, in which case nothing has changed, see
 * iommufd_device_attach().
 */
int iommufd_attach_hwpt(struct iommufd_device *idev, ioasid_t pasid,
			struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_attachment *attachment;
	int ret;

	mutex_lock(&igroup->lock);
	attachment = xa_load(&igroup->attachments, pasid);
	if (attachment && find_device(attachment, idev)) {
		ret = iommufd_fail(-EBUSY, IOMMUFD_REASON_ATTACHED,
				   idev->obj.id,
				   attachment->handle->hwpt->obj.id);
		goto unlock;
	}
	if (attachment && attachment->handle->hwpt != hwpt) {
		ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_GROUP_ATTACHED,
				   iommufd_group_number(igroup),
				   attachment->handle->hwpt->obj.id);
		goto unlock;
	}
	ret = check_hwpt(idev, pasid, hwpt);
	if (ret)
		goto unlock;
	ret = reserve(idev, pasid, ioas_of(hwpt));
	if (ret)
		goto unlock;
	if (attachment)
		ret = add_device(attachment, idev);
	else
		ret = new_attachment(idev, pasid, hwpt);
	if (ret) {
		unreserve(idev, pasid, ioas_of(hwpt));
		goto unlock;
	}
	iommufd_object_depend(idev->ctx, &hwpt->obj, 1);
	note_hwpt(idev, pasid, hwpt->obj.id);
unlock:
	mutex_unlock(&igroup->lock);
	return ret;
}

static void end_attachment(struct iommufd_device *idev, ioasid_t pasid,
			   struct iommufd_attachment *attachment)
{
	xa_erase(&idev->igroup->attachments, pasid);
	detach_group(idev, pasid, attachment->handle);
	free_handle(attachment->handle);
	kfree(attachment);
}

/* Report later faults for another device of the group. */
static void forget_device(struct iommufd_attachment *attachment,
			  struct iommufd_device *idev)
{
	struct iommufd_attached *first;

	if (attachment->handle->dev_id != idev->obj.id)
		return;
	first = list_first_entry(&attachment->devices, struct iommufd_attached,
				 node);
	WRITE_ONCE(attachment->handle->dev_id, first->idev->obj.id);
}

/**
 * iommufd_detach_hwpt - detach a device from its page table
 * @idev: the device
 * @pasid: IOMMU_NO_PASID or a PASID
 *
 * Context: Process context. May sleep. Takes the lock of the device's group.
 *
 * Return: The page table, for which the caller must end the device's
 * dependency, or NULL if the device was not attached.
 */
struct iommufd_hw_pagetable *iommufd_detach_hwpt(struct iommufd_device *idev,
						 ioasid_t pasid)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_attachment *attachment;
	struct iommufd_hw_pagetable *hwpt = NULL;
	struct iommufd_attached *attached;

	mutex_lock(&igroup->lock);
	attachment = xa_load(&igroup->attachments, pasid);
	attached = attachment ? find_device(attachment, idev) : NULL;
	if (!attached)
		goto unlock;
	hwpt = attachment->handle->hwpt;
	remove_device(attached);
	note_hwpt(idev, pasid, 0);
	if (list_empty(&attachment->devices))
		end_attachment(idev, pasid, attachment);
	else
		forget_device(attachment, idev);
	unreserve(idev, pasid, ioas_of(hwpt));
unlock:
	mutex_unlock(&igroup->lock);
	return hwpt;
}

static void unreserve_all(struct iommufd_attachment *attachment, ioasid_t pasid,
			  struct iommufd_ioas *ioas, struct iommufd_device *end)
{
	struct iommufd_attached *each;

	list_for_each_entry(each, &attachment->devices, node) {
		if (each->idev == end)
			break;
		unreserve(each->idev, pasid, ioas);
	}
}

static int reserve_all(struct iommufd_attachment *attachment, ioasid_t pasid,
		       struct iommufd_ioas *ioas)
{
	struct iommufd_attached *each;
	int ret;

	list_for_each_entry(each, &attachment->devices, node) {
		ret = reserve(each->idev, pasid, ioas);
		if (ret) {
			unreserve_all(attachment, pasid, ioas, each->idev);
			return ret;
		}
	}
	return 0;
}

static void note_all(struct iommufd_attachment *attachment, ioasid_t pasid,
		     u32 hwpt_id)
{
	struct iommufd_attached *each;

	list_for_each_entry(each, &attachment->devices, node)
		note_hwpt(each->idev, pasid, hwpt_id);
}

/*
 * Check the page table for all attached devices, as a replace moves them all.
 */
static int check_all(struct iommufd_attachment *attachment, ioasid_t pasid,
		     struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_attached *each;
	int ret;

	list_for_each_entry(each, &attachment->devices, node) {
		ret = check_hwpt(each->idev, pasid, hwpt);
		if (ret)
			return ret;
	}
	return 0;
}

/* Move the group to another page table; on failure nothing has changed. */
static int move_attachment(struct iommufd_device *idev, ioasid_t pasid,
			   struct iommufd_attachment *attachment,
			   struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_attach_handle *old = attachment->handle, *new;
	struct iommufd_ioas *from = ioas_of(old->hwpt), *to = ioas_of(hwpt);
	int ret;

	new = alloc_handle(idev->igroup, old->dev_id, hwpt);
	if (!new)
		return -ENOMEM;
	ret = from == to ? 0 : reserve_all(attachment, pasid, to);
	if (ret)
		goto free;
	ret = replace_group(idev, pasid, new);
	if (ret) {
		iommufd_fail_driver(ret);
		goto unreserve;
	}

	attachment->handle = new;
	free_handle(old);
	if (from != to)
		unreserve_all(attachment, pasid, from, NULL);
	return 0;

unreserve:
	if (from != to)
		unreserve_all(attachment, pasid, to, NULL);
free:
	kfree(new);
	return ret;
}

/**
 * iommufd_replace_hwpt - move an attached device to another page table
 * @idev: the device
 * @pasid: IOMMU_NO_PASID or a PASID
 * @hwpt: the page table; the caller makes sure that it can't leave the table of
 *	objects, see iommufd_object_depend(). On success all attached devices of
 *	the group depend on it instead of the old one
 * @ended: if the old page table is no longer used, it is added to this list for
 *	iommufd_hwpts_end()
 *
 * Context: Process context. May sleep. Takes the lock of the device's group.
 *
 * Return: 0 or a negative errno, in which case nothing has changed, see
 * iommufd_device_replace().
 */
int iommufd_replace_hwpt(struct iommufd_device *idev, ioasid_t pasid,
			 struct iommufd_hw_pagetable *hwpt,
			 struct list_head *ended)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_attachment *attachment;
	struct iommufd_hw_pagetable *old;
	unsigned int devices = 0;
	int ret;

	mutex_lock(&igroup->lock);
	attachment = xa_load(&igroup->attachments, pasid);
	if (!attachment || !find_device(attachment, idev)) {
		ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_NOT_ATTACHED,
				   idev->obj.id, pasid);
		goto unlock;
	}
	old = attachment->handle->hwpt;
	ret = old == hwpt ? 0 : check_all(attachment, pasid, hwpt);
	if (ret || old == hwpt)
		goto unlock;
	ret = move_attachment(idev, pasid, attachment, hwpt);
	if (!ret) {
		note_all(attachment, pasid, hwpt->obj.id);
		devices = list_count_nodes(&attachment->devices);
		iommufd_object_depend(idev->ctx, &hwpt->obj, devices);
	}
unlock:
	mutex_unlock(&igroup->lock);
	while (devices--)
		iommufd_hwpt_undepend_later(idev->ctx, old, ended);
	return ret;
}
