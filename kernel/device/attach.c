// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches a device to a page table, or to an IOAS through a page table that is
 * found or made for it.
 */
#include <linux/slab.h>

#include "core/ctx.h"
#include "device/device.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "iommu-priv.h"

/* The first device attaches the group, the others must want the same. */
static int attach_group(struct iommufd_group *igroup,
			struct iommufd_hwpt_paging *hwpt)
{
	struct iommufd_attach_handle *handle;
	int ret;

	lockdep_assert_held(&igroup->lock);

	if (igroup->handle)
		return igroup->handle->hwpt == hwpt ? 0 : -EINVAL;

	handle = kzalloc_obj(*handle, GFP_KERNEL_ACCOUNT);
	if (!handle)
		return -ENOMEM;
	handle->hwpt = hwpt;
	ret = iommu_attach_group_handle(hwpt->common.domain, igroup->group,
					&handle->handle);
	if (ret) {
		kfree(handle);
		return ret;
	}
	igroup->handle = handle;
	return 0;
}

/*
 * Attach to a page table that the caller holds; on success the device depends
 * on it in his place. Nothing is changed on failure.
 */
static int attach_hwpt(struct iommufd_device *idev,
		       struct iommufd_hwpt_paging *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	int ret;

	mutex_lock(&igroup->lock);
	if (idev->hwpt) {
		ret = -EINVAL;
		goto unlock;
	}
	ret = iommufd_ioas_reserve_device(hwpt->ioas, idev->dev);
	if (ret)
		goto unlock;
	ret = attach_group(igroup, hwpt);
	if (ret) {
		iommufd_ioas_unreserve_device(hwpt->ioas, idev->dev);
		goto unlock;
	}
	igroup->nr_attached++;
	idev->hwpt = hwpt;
unlock:
	mutex_unlock(&igroup->lock);
	return ret;
}

/* Returns the page table, on which the device no longer depends. */
static struct iommufd_hwpt_paging *detach_hwpt(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt_paging *hwpt;

	mutex_lock(&igroup->lock);
	hwpt = idev->hwpt;
	idev->hwpt = NULL;
	if (!--igroup->nr_attached) {
		iommu_detach_group_handle(hwpt->common.domain, igroup->group);
		kfree(igroup->handle);
		igroup->handle = NULL;
	}
	iommufd_ioas_unreserve_device(hwpt->ioas, idev->dev);
	mutex_unlock(&igroup->lock);
	return hwpt;
}

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
		iommufd_hwpt_paging_drop(prev);
	return found ? hwpt : NULL;
}

static int attach_new_automatic(struct iommufd_device *idev,
				struct iommufd_ioas *ioas, u32 *pt_id)
{
	struct iommufd_hwpt_paging *hwpt;
	int ret;

	hwpt = iommufd_hwpt_paging_alloc(ioas, idev);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	/* Of the device, ahead of the time when others can see it. */
	refcount_inc(&hwpt->obj.users);
	ret = attach_hwpt(idev, hwpt);
	if (ret)
		goto abort;
	ret = iommufd_hwpt_paging_link(hwpt);
	if (ret) {
		detach_hwpt(idev);
		goto abort;
	}
	*pt_id = hwpt->obj.id;
	return 0;

abort:
	iommufd_hwpt_paging_abort(hwpt);
	return ret;
}

static int attach_ioas(struct iommufd_device *idev, struct iommufd_ioas *ioas,
		       u32 *pt_id)
{
	struct iommufd_hwpt_paging *hwpt = NULL;
	int ret;

	mutex_lock(&ioas->auto_lock);
	while ((hwpt = next_automatic(ioas, hwpt))) {
		ret = iommufd_hwpt_paging_suits(hwpt, idev) ?
			      attach_hwpt(idev, hwpt) :
			      -EINVAL;
		if (!ret) {
			*pt_id = hwpt->obj.id;
			goto unlock;
		}
		/* Other errors than not being compatible are final. */
		if (ret != -EINVAL) {
			iommufd_hwpt_paging_drop(hwpt);
			goto unlock;
		}
	}
	ret = attach_new_automatic(idev, ioas, pt_id);
unlock:
	mutex_unlock(&ioas->auto_lock);
	return ret;
}

/**
 * iommufd_attach - attach a device
 * @idev: the device
 * @pt_id: id of an IOAS or of a page table, set to that of the page table
 *
 * Returns 0 or a negative errno, see iommufd_device_attach().
 */
int iommufd_attach(struct iommufd_device *idev, u32 *pt_id)
{
	struct iommufd_hwpt_paging *hwpt;
	struct iommufd_object *obj;
	bool held;
	int ret;

	obj = iommufd_object_get(idev->ctx, *pt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	switch (obj->type) {
	case IOMMUFD_OBJ_IOAS:
		ret = attach_ioas(idev, to_ioas(obj), pt_id);
		iommufd_object_put(idev->ctx, obj);
		return ret;
	case IOMMUFD_OBJ_HWPT_PAGING:
		hwpt = to_hwpt_paging(obj);
		held = iommufd_object_hold(idev->ctx, obj);
		/* The last drop waits for lookups: end ours before it. */
		iommufd_object_put(idev->ctx, obj);
		if (!held)
			return -ENOENT;
		ret = iommufd_hwpt_paging_suits(hwpt, idev) ?
			      attach_hwpt(idev, hwpt) :
			      -EINVAL;
		if (ret)
			iommufd_hwpt_paging_drop(hwpt);
		return ret;
	default:
		iommufd_object_put(idev->ctx, obj);
		return -EINVAL;
	}
}

/**
 * iommufd_detach - detach a device
 * @idev: the device, attached
 */
void iommufd_detach(struct iommufd_device *idev)
{
	iommufd_hwpt_paging_drop(detach_hwpt(idev));
}
