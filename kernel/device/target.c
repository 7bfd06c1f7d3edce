// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device is attached to by id: a page table, or an IOAS through a page
 * table that is found or made for it.
 */
#include "core/ctx.h"
#include "device/attach.h"
#include "device/device.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "trace/device_events.h"
#include "trace/fail.h"

/* The next automatic page table of an IOAS, held; @prev is given back. */
static struct iommufd_hwpt_paging *
next_automatic(struct iommufd_ioas *ioas, struct iommufd_hwpt_paging *prev)
{
	struct iommufd_hwpt_paging *hwpt =
		prev ?: list_entry(&ioas->hwpts, struct iommufd_hwpt_paging,
				   node);
	bool found = false;

	down_read(&ioas->hwpts_rwsem);
	list_for_each_entry_continue(hwpt, &ioas->hwpts, node) {
		found = hwpt->automatic &&
			iommufd_object_hold(ioas->ctx, &hwpt->obj);
		if (found)
			break;
	}
	up_read(&ioas->hwpts_rwsem);
	if (prev)
		iommufd_hwpt_drop(ioas->ctx, &prev->common);
	return found ? hwpt : NULL;
}

/*
 * Some drivers know what a page table looks like only once it is attached, so
 * that it is filled after that. What is attached already must not see an empty
 * one in between: its page table is filled before.
 */
static int attach_and_fill(struct iommufd_device *idev, ioasid_t pasid,
			   struct iommufd_hwpt_paging *hwpt, bool replace)
{
	int ret;

	if (replace) {
		ret = iommufd_ioas_add_hwpt(hwpt->ioas, hwpt);
		return ret ?: iommufd_attach_hwpt(idev, pasid, &hwpt->common,
						  true);
	}
	ret = iommufd_attach_hwpt(idev, pasid, &hwpt->common, false);
	if (ret)
		return ret;
	ret = iommufd_ioas_add_hwpt(hwpt->ioas, hwpt);
	if (ret)
		iommufd_detach_hwpt(idev, pasid);
	return ret;
}

static struct iommufd_hwpt_paging *
alloc_automatic(struct iommufd_device *idev, struct iommufd_ioas *ioas)
{
	u64 start_ns = iommufd_trace_start(iommufd_hwpt_alloc);
	struct iommufd_hwpt_paging *hwpt;

	hwpt = iommufd_hwpt_paging_alloc(ioas, idev, 0, NULL);
	trace_iommufd_hwpt_alloc(ioas->ctx->number,
				 IS_ERR(hwpt) ? 0 : hwpt->obj.id, ioas->obj.id,
				 idev->obj.id, IOMMUFD_OBJ_HWPT_PAGING, true, 0,
				 IOMMU_HWPT_DATA_NONE, PTR_ERR_OR_ZERO(hwpt),
				 iommufd_trace_ns(start_ns));
	if (!IS_ERR(hwpt))
		hwpt->automatic = true;
	return hwpt;
}

static int attach_new_automatic(struct iommufd_device *idev, ioasid_t pasid,
				struct iommufd_ioas *ioas, bool replace,
				u32 *pt_id)
{
	struct iommufd_hwpt_paging *hwpt;
	int ret;

	hwpt = alloc_automatic(idev, ioas);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	/* Of the device, ahead of the time when others can see it. */
	refcount_inc(&hwpt->obj.users);
	ret = attach_and_fill(idev, pasid, hwpt, replace);
	if (ret) {
		iommufd_hwpt_paging_abort(hwpt);
		return ret;
	}
	*pt_id = hwpt->obj.id;
	iommufd_object_publish(ioas->ctx, &hwpt->obj);
	return 0;
}

static int attach_ioas(struct iommufd_device *idev, ioasid_t pasid,
		       struct iommufd_ioas *ioas, bool replace, u32 *pt_id)
{
	struct iommufd_hwpt_paging *hwpt = NULL;
	u32 id;
	int ret;

	/* Page tables for PASIDs are asked for by name. */
	if (pasid != IOMMU_NO_PASID)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_PASID_NEEDS_HWPT,
				    ioas->obj.id, pasid);

	mutex_lock(&ioas->auto_lock);
	while ((hwpt = next_automatic(ioas, hwpt))) {
		id = hwpt->obj.id;
		ret = iommufd_attach_hwpt(idev, pasid, &hwpt->common, replace);
		if (!ret) {
			*pt_id = id;
			goto unlock;
		}
		/* Other errors than not being compatible are final. */
		if (ret != -EINVAL) {
			iommufd_hwpt_drop(ioas->ctx, &hwpt->common);
			goto unlock;
		}
	}
	ret = attach_new_automatic(idev, pasid, ioas, replace, pt_id);
unlock:
	mutex_unlock(&ioas->auto_lock);
	return ret;
}

static int attach_by_id(struct iommufd_device *idev, ioasid_t pasid,
			u32 *pt_id, bool replace)
{
	struct iommufd_hw_pagetable *hwpt;
	struct iommufd_object *obj;
	bool held;
	int ret;

	obj = iommufd_object_get(idev->ctx, *pt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	switch (obj->type) {
	case IOMMUFD_OBJ_IOAS:
		ret = attach_ioas(idev, pasid, to_ioas(obj), replace, pt_id);
		iommufd_object_put(idev->ctx, obj);
		return ret;
	case IOMMUFD_OBJ_HWPT_PAGING:
	case IOMMUFD_OBJ_HWPT_NESTED:
		hwpt = to_hwpt(obj);
		held = iommufd_object_hold(idev->ctx, obj);
		/* The last drop waits for lookups: end ours before it. */
		iommufd_object_put(idev->ctx, obj);
		if (!held)
			return iommufd_fail(-ENOENT,
					    IOMMUFD_REASON_OBJECT_ENDING,
					    *pt_id, 0);
		ret = iommufd_attach_hwpt(idev, pasid, hwpt, replace);
		if (ret)
			iommufd_hwpt_drop(idev->ctx, hwpt);
		return ret;
	default:
		iommufd_fail(-EINVAL, IOMMUFD_REASON_WRONG_TYPE, *pt_id,
			     obj->type);
		iommufd_object_put(idev->ctx, obj);
		return -EINVAL;
	}
}

/**
 * iommufd_attach - attach a device
 * @idev: the device
 * @pasid: IOMMU_NO_PASID or a PASID
 * @pt_id: id of an IOAS or of a page table, set to that of the page table
 *
 * Returns 0 or a negative errno, see iommufd_device_attach().
 */
int iommufd_attach(struct iommufd_device *idev, ioasid_t pasid, u32 *pt_id)
{
	return attach_by_id(idev, pasid, pt_id, false);
}

/**
 * iommufd_replace - move a device to another page table
 * @idev: the device
 * @pasid: IOMMU_NO_PASID or a PASID
 * @pt_id: id of an IOAS or of a page table, set to that of the page table
 *
 * Returns 0 or a negative errno, see iommufd_device_replace().
 */
int iommufd_replace(struct iommufd_device *idev, ioasid_t pasid, u32 *pt_id)
{
	return attach_by_id(idev, pasid, pt_id, true);
}

/**
 * iommufd_detach - detach a device
 * @idev: the device
 * @pasid: IOMMU_NO_PASID or a PASID
 */
void iommufd_detach(struct iommufd_device *idev, ioasid_t pasid)
{
	u64 start_ns = iommufd_trace_start(iommufd_device_detach);
	struct iommufd_hw_pagetable *hwpt = iommufd_detach_hwpt(idev, pasid);
	u32 target, id;

	if (!hwpt)
		return;
	id = hwpt->obj.id;
	target = iommufd_hwpt_paging_of(hwpt)->ioas->obj.id;
	iommufd_hwpt_drop(idev->ctx, hwpt);
	trace_iommufd_device_detach(idev->ctx->number, idev->obj.id,
				    dev_name(idev->dev),
				    iommufd_group_number(idev->igroup), pasid,
				    target, id, 0, iommufd_trace_ns(start_ns));
}
