// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl that allocates page tables of any kind.
 */
#include <linux/iommu.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "core/ioctl.h"
#include "device/device.h"
#include "eventq/fault.h"
#include "hwpt/hwpt.h"
#include "hwpt/nested.h"
#include "hwpt/paging.h"
#include "ioas/domains.h"
#include "ioas/ioas.h"
#include "trace/device_events.h"
#include "trace/fail.h"

#define PAGING_FLAGS                                                         \
	(IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |    \
	 IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)
#define NESTED_FLAGS	(IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)

/**
 * struct alloc_request - a request and the objects it names
 * @ucmd: the request
 * @cmd: its structure
 * @idev: the device
 * @pt: the object to allocate the page table from
 * @user_data: data of the user for the driver
 * @call: the call of the policies, or NULL
 * @start_ns: ktime at the start, 0 while the tracepoint is disabled
 */
struct alloc_request {
	struct iommufd_ucmd *ucmd;
	struct iommu_hwpt_alloc *cmd;
	struct iommufd_device *idev;
	struct iommufd_object *pt;
	struct iommu_user_data user_data;
	struct iommufd_hwpt_call *call;
	u64 start_ns;
};

static enum iommufd_object_type kind_on(const struct iommufd_object *pt)
{
	return pt->type == IOMMUFD_OBJ_IOAS ? IOMMUFD_OBJ_HWPT_PAGING :
					      IOMMUFD_OBJ_HWPT_NESTED;
}

static noinline void
trace_alloc_enabled(const struct alloc_request *request, u32 hwpt, int ret)
{
	trace_iommufd_hwpt_alloc(request->ucmd->ctx->number, hwpt,
				 request->pt->id, request->idev->obj.id,
				 kind_on(request->pt), false, request->cmd->flags,
				 request->cmd->data_type, ret,
				 iommufd_trace_ns(request->start_ns));
}

static inline void trace_alloc(const struct alloc_request *request, u32 hwpt,
			       int ret)
{
	if (trace_iommufd_hwpt_alloc_enabled())
		trace_alloc_enabled(request, hwpt, ret);
}

/* Look up the fault queue of the request. Returns NULL if it has none. */
static struct iommufd_fault *get_fault_queue(const struct alloc_request *request)
{
	if (!(request->cmd->flags & IOMMU_HWPT_FAULT_ID_VALID))
		return NULL;
	return iommufd_fault_get(request->ucmd->ctx, request->cmd->fault_id);
}

/* Nothing can fail any more: inform policies and tracing, then publish. */
static void publish(const struct alloc_request *request,
		    struct iommufd_hw_pagetable *hwpt,
		    struct iommufd_fault *fault)
{
	struct iommufd_ctx *ctx = request->ucmd->ctx;

	if (fault)
		iommufd_hwpt_report_faults(hwpt, ctx, fault);
	if (request->call)
		hwpt->seen = iommufd_policy_hwpt_done(request->call,
						      hwpt->obj.id, 0);
	trace_alloc(request, hwpt->obj.id, 0);
	iommufd_hwpt_publish(ctx, hwpt);
}

/* The page table is complete: return its id to the user, then publish it. */
static int finish(const struct alloc_request *request,
		  struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_fault *fault = get_fault_queue(request);
	int ret;

	if (IS_ERR(fault))
		return PTR_ERR(fault);
	request->cmd->out_hwpt_id = hwpt->obj.id;
	ret = iommufd_ucmd_respond(request->ucmd, sizeof(*request->cmd));
	if (!ret)
		publish(request, hwpt, fault);
	if (fault)
		iommufd_object_put(request->ucmd->ctx,
				   iommufd_fault_object(fault));
	return ret;
}

static int alloc_paging(const struct alloc_request *request,
			struct iommufd_ioas *ioas)
{
	const struct iommu_user_data *user_data =
		request->user_data.len ? &request->user_data : NULL;
	struct iommufd_hwpt_call *call = request->call;
	u32 flags = request->cmd->flags;
	struct iommufd_hwpt_paging *hwpt;
	int ret;

	/* A guest must not see page faults of the second stage. */
	if ((flags & IOMMU_HWPT_ALLOC_NEST_PARENT) &&
	    (flags & IOMMU_HWPT_FAULT_ID_VALID))
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_FLAGS_CONFLICT,
				    flags, 0);

	hwpt = iommufd_hwpt_paging_alloc(ioas, request->idev, flags,
					 call ? call->args.max_page_shift : 0,
					 user_data);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	ret = iommufd_ioas_add_domain(ioas, &hwpt->mirror);
	if (!ret && call)
		call->args.max_page_shift =
			iommufd_domain_page_limit(&hwpt->mirror);
	if (!ret)
		ret = finish(request, &hwpt->common);
	if (ret)
		iommufd_hwpt_paging_abort(hwpt);
	return ret;
}

static int alloc_nested(const struct alloc_request *request,
			struct iommufd_hwpt_paging *parent,
			struct iommufd_viommu *viommu)
{
	struct iommufd_ctx *ctx = request->ucmd->ctx;
	struct iommufd_hwpt_nested *hwpt;
	int ret;

	if (request->cmd->flags & ~NESTED_FLAGS)
		return iommufd_fail_flags(request->cmd->flags, NESTED_FLAGS);
	if (!request->user_data.len)
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_DATA_MISMATCH,
				    request->user_data.type, 0);

	hwpt = iommufd_hwpt_nested_alloc(ctx, parent, viommu, request->idev,
					 request->cmd->flags,
					 &request->user_data);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	ret = finish(request, &hwpt->common);
	if (ret)
		iommufd_hwpt_nested_abort(ctx, hwpt);
	return ret;
}

static int alloc(const struct alloc_request *request)
{
	struct iommufd_object *obj = request->pt;
	struct iommufd_viommu *viommu;

	switch (obj->type) {
	case IOMMUFD_OBJ_IOAS:
		return alloc_paging(request, to_ioas(obj));
	case IOMMUFD_OBJ_HWPT_PAGING:
		return alloc_nested(request, to_hwpt_paging(obj), NULL);
	case IOMMUFD_OBJ_VIOMMU:
		viommu = container_of(obj, struct iommufd_viommu, obj);
		return alloc_nested(request, viommu->hwpt, viommu);
	default:
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_WRONG_TYPE, obj->id,
				    obj->type);
	}
}

static noinline int alloc_asked(struct alloc_request *request)
{
	const struct iommu_hwpt_alloc *cmd = request->cmd;
	struct iommufd_hwpt_call call = {
		.args = {
			.parent = request->pt->id,
			.device = cmd->dev_id,
			.kind = kind_on(request->pt),
			.flags = cmd->flags,
			.data_type = cmd->data_type,
			.data_len = cmd->data_len,
			.data = cmd->data_uptr,
		},
	};
	int ret;

	request->call = &call;
	/* A page table of the user keeps its flags, see device/attach.c. */
	ret = iommufd_policy_hwpt_alloc(&call, request->ucmd->ctx, 0);
	if (!ret)
		ret = alloc(request);
	if (ret)
		iommufd_policy_hwpt_done(&call, 0, ret);
	return ret;
}

int iommufd_cmd_hwpt_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct alloc_request request = {
		.ucmd = ucmd,
		.cmd = cmd,
		.user_data = {
			.type = cmd->data_type,
			.uptr = u64_to_user_ptr(cmd->data_uptr),
			.len = cmd->data_len,
		},
		.start_ns = iommufd_trace_start(iommufd_hwpt_alloc),
	};
	struct iommufd_object *pt, *dev;
	int ret;

	if (cmd->flags & ~PAGING_FLAGS)
		return iommufd_fail_flags(cmd->flags, PAGING_FLAGS);
	if (cmd->__reserved || cmd->__reserved2)
		return iommufd_fail_reserved(cmd->__reserved ?:
						     cmd->__reserved2);
	/* Data has a type, and a type has data. */
	if (!cmd->data_len != !cmd->data_type)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_DATA_MISMATCH,
				    cmd->data_type, cmd->data_len);

	dev = iommufd_object_get(ucmd->ctx, cmd->dev_id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	request.idev = to_device(dev);
	pt = iommufd_object_get(ucmd->ctx, cmd->pt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(pt)) {
		ret = PTR_ERR(pt);
		goto put_dev;
	}
	request.pt = pt;
	ret = iommufd_has_policies() ? alloc_asked(&request) : alloc(&request);
	if (ret)
		trace_alloc(&request, 0, ret);
	iommufd_object_put(ucmd->ctx, pt);
put_dev:
	iommufd_object_put(ucmd->ctx, dev);
	return ret;
}
