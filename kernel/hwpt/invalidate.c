// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl that invalidates IOMMU caches of a page table that user space
 * manages.
 */
#include <linux/iommu.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "core/ioctl.h"
#include "hwpt/hwpt.h"
#include "trace/device_events.h"
#include "trace/fail.h"

#define MAX_ENTRIES	BIT(19)

static int check_array(const struct iommu_hwpt_invalidate *cmd)
{
	/* Without entries, the user asks whether the type is supported. */
	if (!cmd->entry_num)
		return 0;
	if (cmd->entry_num > MAX_ENTRIES || cmd->entry_len > PAGE_SIZE ||
	    !cmd->data_uptr || !cmd->entry_len)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_BAD_ARRAY,
				    cmd->entry_len, cmd->entry_num);
	return 0;
}

static int invalidate_hwpt(struct iommufd_hw_pagetable *hwpt,
			   struct iommu_user_data_array *array)
{
	atomic64_inc(&hwpt->invalidations);
	if (hwpt->domain->ops->cache_invalidate_user)
		return hwpt->domain->ops->cache_invalidate_user(hwpt->domain,
								array);
	array->entry_num = 0;
	return -EOPNOTSUPP;
}

/* A vIOMMU counts in its second stage, see struct iommufd_object_info. */
static int invalidate_viommu(struct iommufd_viommu *viommu,
			     struct iommu_user_data_array *array)
{
	atomic64_inc(&viommu->hwpt->common.invalidations);
	if (viommu->ops && viommu->ops->cache_invalidate)
		return viommu->ops->cache_invalidate(viommu, array);
	array->entry_num = 0;
	return -EOPNOTSUPP;
}

/* Sets the number of entries to the number that were handled. */
static int invalidate(struct iommufd_object *obj,
		      struct iommu_user_data_array *array)
{
	int ret;

	if (obj->type == IOMMUFD_OBJ_VIOMMU)
		ret = invalidate_viommu(container_of(obj, struct iommufd_viommu,
						     obj),
					array);
	else
		ret = invalidate_hwpt(to_hwpt(obj), array);
	return ret ? iommufd_fail_driver(ret) : 0;
}

/**
 * struct invalidation - an invalidation request
 * @ctx: the context
 * @cmd: its structure
 * @array: the entries; their number becomes the number that were handled
 * @kind: type of the object to invalidate, once it is looked up
 * @start_ns: ktime at the start, 0 while the tracepoint is disabled
 */
struct invalidation {
	struct iommufd_ctx *ctx;
	const struct iommu_hwpt_invalidate *cmd;
	struct iommu_user_data_array array;
	enum iommufd_object_type kind;
	u64 start_ns;
};

/* Looked up once, so that policies are asked about the object that is used. */
static struct iommufd_object *look_up(struct invalidation *request)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(request->ctx, request->cmd->hwpt_id,
				 IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return obj;
	request->kind = obj->type;
	if (obj->type == IOMMUFD_OBJ_HWPT_NESTED ||
	    obj->type == IOMMUFD_OBJ_VIOMMU)
		return obj;
	iommufd_fail(-EINVAL, IOMMUFD_REASON_WRONG_TYPE, obj->id, obj->type);
	iommufd_object_put(request->ctx, obj);
	return ERR_PTR(-EINVAL);
}

/* Run at most as many entries as the policies allow. */
static int run_limited(struct invalidation *request, struct iommufd_object *obj,
		       u32 limit)
{
	u32 asked = request->array.entry_num;
	int ret = 0;

	request->array.entry_num = limit;
	if (limit || !asked)
		ret = invalidate(obj, &request->array);
	/* 0 would mean that all entries were handled. */
	return ret ?: limit < asked ? -EAGAIN : 0;
}

/*
 * Sleep as long as policies demand, without a reference to the object, so that
 * a destroy need not wait. Returns the object with a reference, or an ERR_PTR.
 */
static struct iommufd_object *delay(struct invalidation *request,
				    struct iommufd_invalidate_call *call,
				    struct iommufd_object *obj)
{
	struct iommufd_watch watch;
	int ret;

	iommufd_object_watch(request->ctx, obj, &watch);
	ret = iommufd_policy_delay(call);
	obj = iommufd_object_unwatch(request->ctx, &watch);
	if (!obj)
		return ERR_PTR(ret ?: iommufd_fail_ending(call->args.object));
	if (!ret)
		return obj;
	iommufd_object_put(request->ctx, obj);
	return ERR_PTR(ret);
}

/* Ask the policies about the object, run the request, and put the object. */
static noinline int run_asked(struct invalidation *request,
			      struct iommufd_object *obj)
{
	const struct iommu_hwpt_invalidate *cmd = request->cmd;
	struct iommufd_invalidate_call call = {
		.args = {
			.object = obj->id,
			.kind = obj->type,
			.data_type = cmd->data_type,
			.entry_len = cmd->entry_len,
			.asked = cmd->entry_num,
			.data = cmd->data_uptr,
		},
	};
	int ret;

	ret = iommufd_policy_invalidate(&call, request->ctx);
	if (!ret && call.args.delay_ns) {
		obj = delay(request, &call, obj);
		ret = PTR_ERR_OR_ZERO(obj);
	}
	if (ret)
		request->array.entry_num = 0;
	else
		ret = run_limited(request, obj, call.args.limit);
	iommufd_policy_invalidate_done(&call, request->array.entry_num, ret);
	if (!IS_ERR(obj))
		iommufd_object_put(request->ctx, obj);
	return ret;
}

/* Sets the number of entries to the number that were handled. */
static int look_up_and_run(struct invalidation *request)
{
	struct iommufd_object *obj = look_up(request);
	int ret;

	if (IS_ERR(obj)) {
		request->array.entry_num = 0;
		return PTR_ERR(obj);
	}
	if (iommufd_has_policies())
		return run_asked(request, obj);
	ret = invalidate(obj, &request->array);
	iommufd_object_put(request->ctx, obj);
	return ret;
}

static void __cold trace_request(const struct invalidation *request, int ret)
{
	const struct iommu_hwpt_invalidate *cmd = request->cmd;

	if (request->kind == IOMMUFD_OBJ_NONE)
		return;
	trace_iommufd_hwpt_invalidate(request->ctx->number, cmd->hwpt_id,
				      request->kind, cmd->data_type,
				      cmd->entry_len, cmd->entry_num,
				      request->array.entry_num, ret,
				      iommufd_trace_ns(request->start_ns));
}

int iommufd_cmd_hwpt_invalidate(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	struct invalidation request = {
		.ctx = ucmd->ctx,
		.cmd = cmd,
		.array = {
			.type = cmd->data_type,
			.uptr = u64_to_user_ptr(cmd->data_uptr),
			.entry_len = cmd->entry_len,
			.entry_num = cmd->entry_num,
		},
		.kind = IOMMUFD_OBJ_NONE,
	};
	int ret;

	iommufd_trace_begin(iommufd_hwpt_invalidate, &request);
	if (cmd->__reserved)
		ret = iommufd_fail_reserved(cmd->__reserved);
	else
		ret = check_array(cmd);
	if (ret)
		request.array.entry_num = 0;
	else
		ret = look_up_and_run(&request);
	if (trace_iommufd_hwpt_invalidate_enabled())
		trace_request(&request, ret);

	/* Even on failure, report how many entries were handled. */
	cmd->entry_num = request.array.entry_num;
	if (iommufd_ucmd_respond_member(ucmd, &cmd->entry_num))
		return -EFAULT;
	return ret;
}
