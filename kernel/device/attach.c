// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions with which drivers attach a device to an object by id: to a page
 * table, or to an IOAS through an automatic page table, which is reused or
 * allocated. Their kernel-doc documents the kernel API.
 */
#include <linux/export.h>
#include <uapi/linux/vfio.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "device/attachment.h"
#include "device/device.h"
#include "hwpt/hwpt.h"
#include "hwpt/paging.h"
#include "ioas/domains.h"
#include "ioas/ioas.h"
#include "trace/device_events.h"
#include "trace/fail.h"

/**
 * struct attach_request - a request to attach a device or to replace its page
 *	table
 * @idev: the device
 * @pasid: IOMMU_NO_PASID or a PASID
 * @replace: the device is already attached; replace its page table
 * @pt_id: id of the target, set to the id of the page table
 * @ended: page tables that are no longer used, for iommufd_hwpts_end()
 */
struct attach_request {
	struct iommufd_device *idev;
	ioasid_t pasid;
	bool replace;
	u32 *pt_id;
	struct list_head ended;
};

static int attach_to(struct attach_request *request,
		     struct iommufd_hw_pagetable *hwpt)
{
	if (request->replace)
		return iommufd_replace_hwpt(request->idev, request->pasid, hwpt,
					    &request->ended);
	return iommufd_attach_hwpt(request->idev, request->pasid, hwpt);
}

/*
 * Get the next automatic page table of an IOAS and depend on it. Ends the
 * dependency on @prev.
 */
static struct iommufd_hwpt_paging *
next_automatic(struct attach_request *request, struct iommufd_ioas *ioas,
	       struct iommufd_hwpt_paging *prev)
{
	struct iommufd_hwpt_paging *hwpt =
		prev ?: list_entry(&ioas->domains, struct iommufd_hwpt_paging,
				   mirror.node);
	bool found = false;

	down_read(&ioas->domains_rwsem);
	list_for_each_entry_continue(hwpt, &ioas->domains, mirror.node) {
		found = hwpt->automatic &&
			iommufd_object_try_depend(ioas->ctx, &hwpt->obj);
		if (found)
			break;
	}
	up_read(&ioas->domains_rwsem);
	if (prev)
		iommufd_hwpt_undepend_later(ioas->ctx, &prev->common,
					    &request->ended);
	return found ? hwpt : NULL;
}

/* attach_existing() returns this if no page table is compatible. */
#define NONE_COMPATIBLE	1

/* Attach to an existing automatic page table. */
static int attach_existing(struct attach_request *request,
			   struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt_paging *hwpt = NULL;
	u32 id;
	int ret;

	lockdep_assert_held(&ioas->auto_lock);

	while ((hwpt = next_automatic(request, ioas, hwpt))) {
		id = hwpt->obj.id;
		ret = attach_to(request, &hwpt->common);
		/* All errors are final, except if it is not compatible. */
		if (ret == -EINVAL)
			continue;
		if (!ret)
			*request->pt_id = id;
		iommufd_hwpt_undepend_later(ioas->ctx, &hwpt->common,
					    &request->ended);
		return ret;
	}
	return NONE_COMPATIBLE;
}

/*
 * Some IOMMU drivers know the format of a page table only once it is attached,
 * so it is filled after the attach. A replace must not expose an empty page
 * table to the device, so it is filled first.
 */
static int attach_and_fill(struct attach_request *request,
			   struct iommufd_hwpt_paging *hwpt)
{
	int ret;

	if (request->replace) {
		ret = iommufd_ioas_add_domain(hwpt->ioas, &hwpt->mirror);
		return ret ?: attach_to(request, &hwpt->common);
	}
	ret = attach_to(request, &hwpt->common);
	if (ret)
		return ret;
	ret = iommufd_ioas_add_domain(hwpt->ioas, &hwpt->mirror);
	if (ret)
		iommufd_detach_hwpt(request->idev, request->pasid);
	return ret;
}

static struct iommufd_hwpt_paging *
alloc_automatic(struct iommufd_device *idev, struct iommufd_ioas *ioas,
		u32 flags, u32 max_page_shift)
{
	u64 start_ns = iommufd_trace_start(iommufd_hwpt_alloc);
	struct iommufd_hwpt_paging *hwpt;

	hwpt = iommufd_hwpt_paging_alloc(ioas, idev, flags, max_page_shift,
					 NULL);
	trace_iommufd_hwpt_alloc(ioas->ctx->number,
				 IS_ERR(hwpt) ? 0 : hwpt->obj.id, ioas->obj.id,
				 idev->obj.id, IOMMUFD_OBJ_HWPT_PAGING, true,
				 flags, IOMMU_HWPT_DATA_NONE,
				 PTR_ERR_OR_ZERO(hwpt),
				 iommufd_trace_ns(start_ns));
	if (!IS_ERR(hwpt))
		hwpt->automatic = true;
	return hwpt;
}

/*
 * Returns the page table or an ERR_PTR. Both the device and the caller depend
 * on the page table.
 */
static struct iommufd_hwpt_paging *
attach_new(struct attach_request *request, struct iommufd_ioas *ioas, u32 flags,
	   u32 max_page_shift)
{
	struct iommufd_hwpt_paging *hwpt;
	int ret;

	lockdep_assert_held(&ioas->auto_lock);

	hwpt = alloc_automatic(request->idev, ioas, flags, max_page_shift);
	if (IS_ERR(hwpt))
		return hwpt;
	/* Depend on it for the caller before it is published. */
	iommufd_object_depend(ioas->ctx, &hwpt->obj, 1);
	ret = attach_and_fill(request, hwpt);
	if (ret) {
		iommufd_hwpt_paging_abort(hwpt);
		return ERR_PTR(ret);
	}
	*request->pt_id = hwpt->obj.id;
	iommufd_hwpt_publish(ioas->ctx, &hwpt->common);
	return hwpt;
}

static int attach_unasked(struct attach_request *request,
			  struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt_paging *hwpt = attach_new(request, ioas, 0, 0);

	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	iommufd_hwpt_undepend_later(ioas->ctx, &hwpt->common, &request->ended);
	return 0;
}

/* Flags added by policies must not make an attach fail, so retry without. */
static struct iommufd_hwpt_paging *
attach_new_with_added(struct attach_request *request, struct iommufd_ioas *ioas,
		      struct iommufd_bpf_hwpt *args)
{
	struct iommufd_hwpt_paging *hwpt;

	args->flags = args->add_flags;
	hwpt = attach_new(request, ioas, args->flags, args->max_page_shift);
	if (IS_ERR(hwpt) && args->flags) {
		args->flags = 0;
		hwpt = attach_new(request, ioas, 0, args->max_page_shift);
	}
	if (!IS_ERR(hwpt))
		args->max_page_shift = iommufd_domain_page_limit(&hwpt->mirror);
	return hwpt;
}

/*
 * The flags that policies may add to an automatic page table, which is only
 * used for compatible devices. A page table that the user allocates explicitly
 * may later be attached to other devices, which might not be able to use it
 * with an added flag.
 */
static u32 addable(struct iommufd_device *idev)
{
	if (iommufd_device_is_noiommu(idev) ||
	    !device_iommu_capable(idev->dev, IOMMU_CAP_DIRTY_TRACKING))
		return 0;
	return IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
}

/* Call the policies, with no lock held, before a page table is allocated. */
static noinline int attach_asked(struct attach_request *request,
				 struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt_call call = {
		.args = {
			.parent = ioas->obj.id,
			.device = request->idev->obj.id,
			.kind = IOMMUFD_OBJ_HWPT_PAGING,
			.automatic = true,
		},
	};
	struct iommufd_hwpt_paging *hwpt = NULL;
	int ret, told;

	told = iommufd_policy_hwpt_alloc(&call, ioas->ctx,
					 addable(request->idev));
	if (!told)
		told = mutex_lock_killable(&ioas->auto_lock);
	ret = told;
	if (!ret) {
		ret = attach_existing(request, ioas);
		told = ret ?: -EALREADY;
		if (ret == NONE_COMPATIBLE) {
			hwpt = attach_new_with_added(request, ioas,
						     &call.args);
			ret = PTR_ERR_OR_ZERO(hwpt);
			told = ret;
		}
		mutex_unlock(&ioas->auto_lock);
	}
	if (told) {
		iommufd_policy_hwpt_done(&call, 0, told);
		return ret;
	}
	/*
	 * The page table stays as long as we depend on it, even if another device of the
	 * group has moved ours to another one by now.
	 */
	hwpt->common.seen = iommufd_policy_hwpt_done(&call, hwpt->obj.id, 0);
	iommufd_hwpt_undepend_later(ioas->ctx, &hwpt->common, &request->ended);
	return 0;
}

static int attach_ioas(struct attach_request *request,
		       struct iommufd_ioas *ioas)
{
	int ret;

	/* Page tables for PASIDs are never automatic. */
	if (request->pasid != IOMMU_NO_PASID)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_PASID_NEEDS_HWPT,
				    ioas->obj.id, request->pasid);

	ret = mutex_lock_killable(&ioas->auto_lock);
	if (ret)
		return ret;
	ret = attach_existing(request, ioas);
	if (ret == NONE_COMPATIBLE && !iommufd_has_policies())
		ret = attach_unasked(request, ioas);
	mutex_unlock(&ioas->auto_lock);
	return ret == NONE_COMPATIBLE ? attach_asked(request, ioas) : ret;
}

/* Check if a page table is freed with the last dependency on it. */
static bool is_automatic(struct iommufd_object *obj)
{
	return obj->type == IOMMUFD_OBJ_HWPT_PAGING &&
	       to_hwpt_paging(obj)->automatic;
}

/*
 * Attach to a page table that was looked up, and put it. An automatic page
 * table with dirty tracking has that because of a policy.
 */
static int attach_found(struct attach_request *request,
			struct iommufd_object *obj)
{
	struct iommufd_ctx *ctx = request->idev->ctx;
	bool held;
	int ret;

	if (!is_automatic(obj)) {
		ret = attach_to(request, to_hwpt(obj));
		iommufd_object_put(ctx, obj);
		return ret;
	}
	held = iommufd_object_try_depend(ctx, obj);
	/* The last one to depend on it waits for lookups, so put ours first. */
	iommufd_object_put(ctx, obj);
	if (!held)
		return iommufd_fail_ending(*request->pt_id);
	ret = attach_to(request, to_hwpt(obj));
	/*
	 * The device might be able to share the page table if the policy had
	 * not added dirty tracking, so find or allocate another one.
	 */
	if (ret == -EINVAL && request->pasid == IOMMU_NO_PASID &&
	    to_hwpt(obj)->domain->dirty_ops)
		ret = attach_ioas(request, to_hwpt_paging(obj)->ioas);
	iommufd_hwpt_undepend_later(ctx, to_hwpt(obj), &request->ended);
	return ret;
}

static int attach_to_object(struct attach_request *request)
{
	struct iommufd_ctx *ctx = request->idev->ctx;
	struct iommufd_object *obj;
	int ret;

	obj = iommufd_object_get(ctx, *request->pt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	switch (obj->type) {
	case IOMMUFD_OBJ_IOAS:
		ret = attach_ioas(request, to_ioas(obj));
		iommufd_object_put(ctx, obj);
		return ret;
	case IOMMUFD_OBJ_HWPT_PAGING:
	case IOMMUFD_OBJ_HWPT_NESTED:
		return attach_found(request, obj);
	default:
		iommufd_fail(-EINVAL, IOMMUFD_REASON_WRONG_TYPE,
			     *request->pt_id, obj->type);
		iommufd_object_put(ctx, obj);
		return -EINVAL;
	}
}

static int attach_by_id(struct iommufd_device *idev, ioasid_t pasid, u32 *pt_id,
			bool replace)
{
	struct attach_request request = {
		.idev = idev,
		.pasid = pasid,
		.replace = replace,
		.pt_id = pt_id,
		.ended = LIST_HEAD_INIT(request.ended),
	};
	int ret;

	ret = attach_to_object(&request);
	iommufd_hwpts_end(idev->ctx, &request.ended);
	return ret;
}

/**
 * iommufd_device_attach - attach a device to a page table
 * @idev: the device
 * @pasid: IOMMU_NO_PASID, or the PASID to attach
 * @pt_id: id of an IOAS or of a page table; set to the id of the page table
 *
 * If @pt_id names an IOAS, a compatible page table of that IOAS is used, or one
 * is allocated. This is not supported for PASIDs. Once this returns, the device
 * can do DMA to what is mapped. Undo with iommufd_device_detach().
 *
 * Context: Process context. May sleep. The driver must serialize its calls for
 * one device.
 *
 * Return: 0 or a negative errno, in which case nothing has changed: -ENOENT if
 * there is no object with this id, -EBUSY if the device is already attached,
 * -EINVAL if the object has the wrong type, if the group is attached to another
 * page table, if the page table was not allocated for PASIDs, or if device and
 * page table are incompatible, -EADDRINUSE if something is mapped that the
 * device or the page table can't reach, -ENOMEM, -EFAULT if mapped memory can't
 * be pinned.
 */
int iommufd_device_attach(struct iommufd_device *idev, ioasid_t pasid,
			  u32 *pt_id)
{
	u64 start_ns = iommufd_trace_start(iommufd_device_attach);
	struct iommufd_request request;
	u32 target = *pt_id;
	int ret;

	iommufd_request_begin(&request, idev->ctx->number,
			      VFIO_DEVICE_ATTACH_IOMMUFD_PT);
	ret = attach_by_id(idev, pasid, pt_id, false);
	trace_iommufd_device_attach(idev->ctx->number, idev->obj.id,
				    dev_name(idev->dev),
				    iommufd_group_number(idev->igroup), pasid,
				    target, ret ? 0 : *pt_id, ret,
				    iommufd_trace_ns(start_ns));
	return iommufd_request_end(&request, ret);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach, "IOMMUFD");

/**
 * iommufd_device_replace - move an attached device to another page table
 * @idev: the device, attached
 * @pasid: IOMMU_NO_PASID, or the PASID to move
 * @pt_id: id of an IOAS or of a page table; set to the id of the page table
 *
 * All attached devices of its group move with it. If the IOMMU supports it, DMA
 * is translated by either the old or the new page table at any time, without a
 * gap.
 *
 * Context: Process context. May sleep. The driver must serialize its calls for
 * one device.
 *
 * Return: 0 or a negative errno, in which case nothing has changed: -EINVAL
 * also if the device is not attached; for the others see
 * iommufd_device_attach().
 */
int iommufd_device_replace(struct iommufd_device *idev, ioasid_t pasid,
			   u32 *pt_id)
{
	u64 start_ns = iommufd_trace_start(iommufd_device_replace);
	struct iommufd_request request;
	u32 target = *pt_id;
	int ret;

	iommufd_request_begin(&request, idev->ctx->number,
			      VFIO_DEVICE_ATTACH_IOMMUFD_PT);
	ret = attach_by_id(idev, pasid, pt_id, true);
	trace_iommufd_device_replace(idev->ctx->number, idev->obj.id,
				     dev_name(idev->dev),
				     iommufd_group_number(idev->igroup), pasid,
				     target, ret ? 0 : *pt_id, ret,
				     iommufd_trace_ns(start_ns));
	return iommufd_request_end(&request, ret);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_replace, "IOMMUFD");

/**
 * iommufd_device_detach - undo iommufd_device_attach()
 * @idev: the device
 * @pasid: the same as for the attach; does nothing if it is not attached
 *
 * Once this returns, DMA of the device is blocked, unless other devices of its
 * group are still attached.
 *
 * Context: Process context. May sleep. Never fails.
 */
void iommufd_device_detach(struct iommufd_device *idev, ioasid_t pasid)
{
	u64 start_ns = iommufd_trace_start(iommufd_device_detach);
	struct iommufd_hw_pagetable *hwpt = iommufd_detach_hwpt(idev, pasid);
	u32 target, id;

	if (!hwpt)
		return;
	id = hwpt->obj.id;
	target = iommufd_hwpt_paging_of(hwpt)->ioas->obj.id;
	iommufd_hwpt_undepend(idev->ctx, hwpt);
	trace_iommufd_device_detach(idev->ctx->number, idev->obj.id,
				    dev_name(idev->dev),
				    iommufd_group_number(idev->igroup), pasid,
				    target, id, 0, iommufd_trace_ns(start_ns));
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_detach, "IOMMUFD");
