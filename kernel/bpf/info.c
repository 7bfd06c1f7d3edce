// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot of contexts and objects for late observers. They are found under
 * RCU without taking any lock, which is why contexts and objects are freed
 * after a grace period.
 */
#include <linux/rcupdate.h>
#include <linux/xarray.h>

#include "bpf/info.h"
#include "bpf/iommufd_bpf.h"
#include "core/ctx.h"
#include "core/object.h"
#include "device/device.h"
#include "eventq/fault.h"
#include "hwpt/hwpt.h"
#include "ioas/access.h"
#include "ioas/ioas.h"

/* How often a reader retries while the counters change. */
#define MANY_TRIES	64

/**
 * iommufd_next_ctx_info - describe the next context
 * @number: number of the previous context, 0 for the first one
 * @info: filled in
 *
 * Context: Any context, even if it interrupts any other part of iommufd.
 *
 * Return: true, or false if there are no more contexts.
 */
bool iommufd_next_ctx_info(u32 number, struct iommufd_ctx_info *info)
{
	unsigned long index = number;
	struct iommufd_ctx *ctx;

	rcu_read_lock();
	ctx = xa_find_after(&iommufd_contexts, &index, ULONG_MAX, XA_PRESENT);
	if (ctx) {
		*info = (struct iommufd_ctx_info){
			.ctx = ctx->number,
			.tgid = ctx->tgid,
			.uid = ctx->uid,
			.accounting = READ_ONCE(ctx->accounting),
			.pinned = atomic_long_read(&ctx->pinned),
		};
		memcpy(info->comm, ctx->comm, sizeof(info->comm));
	}
	rcu_read_unlock();
	return ctx;
}

/*
 * The counters of an IOAS must be consistent with each other. A reader that has
 * interrupted their update could never succeed; after a number of retries it
 * takes the values as they are.
 */
static void ioas_info(struct iommufd_ioas *ioas,
		      struct iommufd_object_info *info)
{
	struct iommufd_ioas_counts counts;
	unsigned int tries = 0, start;

	do {
		start = raw_read_seqcount(&ioas->counts_seq);
		counts = ioas->counts;
	} while (((start & 1) || read_seqcount_retry(&ioas->counts_seq, start)) &&
		 ++tries < MANY_TRIES);

	info->seq = counts.seq;
	info->mapped = counts.mapped;
	info->areas = counts.areas;
	info->maps = counts.maps;
	info->unmaps = counts.unmaps;
	info->pinned = atomic_long_read(&ioas->pinned);
}

static void hwpt_info(struct iommufd_hw_pagetable *hwpt,
		      struct iommufd_object_info *info)
{
	info->invalidations = atomic64_read(&hwpt->invalidations);
	info->domain = hwpt->domain;
	if (hwpt->fault)
		info->flags |= IOMMUFD_INFO_FAULTS;
}

static void paging_info(struct iommufd_hwpt_paging *hwpt,
			struct iommufd_object_info *info)
{
	hwpt_info(&hwpt->common, info);
	info->parent = hwpt->ioas->obj.id;
	if (hwpt->automatic)
		info->flags |= IOMMUFD_INFO_AUTOMATIC;
	if (hwpt->nest_parent)
		info->flags |= IOMMUFD_INFO_NEST_PARENT;
	if (hwpt->mirror.coherent)
		info->flags |= IOMMUFD_INFO_COHERENT;
}

static void nested_info(struct iommufd_hwpt_nested *hwpt,
			struct iommufd_object_info *info)
{
	hwpt_info(&hwpt->common, info);
	info->parent = hwpt->viommu ? hwpt->viommu->obj.id :
				      hwpt->parent->obj.id;
}

static void access_info(struct iommufd_access *access,
			struct iommufd_object_info *info)
{
	struct iommufd_ioas *ioas = READ_ONCE(access->ioas);

	info->parent = ioas ? ioas->obj.id : 0;
}

static void device_info(struct iommufd_device *idev,
			struct iommufd_object_info *info)
{
	info->group = idev->group_number;
	info->hwpt = READ_ONCE(idev->hwpt_id);
	memcpy(info->name, idev->name, sizeof(info->name));
}

static void object_info(struct iommufd_object *obj,
			struct iommufd_object_info *info)
{
	info->id = obj->id;
	info->type = obj->type;
	info->users = refcount_read(&obj->users) - 1;
	switch (obj->type) {
	case IOMMUFD_OBJ_DEVICE:
		device_info(to_device(obj), info);
		break;
	case IOMMUFD_OBJ_IOAS:
		ioas_info(to_ioas(obj), info);
		break;
	case IOMMUFD_OBJ_HWPT_PAGING:
		paging_info(to_hwpt_paging(obj), info);
		break;
	case IOMMUFD_OBJ_HWPT_NESTED:
		nested_info(to_hwpt_nested(obj), info);
		break;
	case IOMMUFD_OBJ_ACCESS:
		access_info(container_of(obj, struct iommufd_access, obj),
			    info);
		break;
	case IOMMUFD_OBJ_VIOMMU:
		info->parent = container_of(obj, struct iommufd_viommu,
					    obj)->hwpt->obj.id;
		break;
	case IOMMUFD_OBJ_FAULT:
		info->faults = iommufd_fault_outstanding(obj);
		break;
	default:
		break;
	}
}

/**
 * iommufd_next_object_info - describe the next object of a context
 * @number: number of the context
 * @id: id of the previous object, 0 for the first one
 * @info: filled in
 *
 * Context: Any context, even if it interrupts any other part of iommufd.
 *
 * Return: true, or false if there are no more objects or the context does not
 * exist.
 */
bool iommufd_next_object_info(u32 number, u32 id,
			      struct iommufd_object_info *info)
{
	struct iommufd_object *obj = NULL;
	unsigned long index = id;
	struct iommufd_ctx *ctx;

	rcu_read_lock();
	ctx = xa_load(&iommufd_contexts, number);
	if (ctx) {
		do {
			obj = xa_find_after(&ctx->objects, &index, ULONG_MAX,
					    XA_PRESENT);
		} while (obj && !iommufd_object_is_public(obj));
	}
	if (obj) {
		*info = (struct iommufd_object_info){ .ctx = number };
		object_info(obj, info);
	}
	rcu_read_unlock();
	return obj;
}
