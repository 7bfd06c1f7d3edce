// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open-coded BPF iterators over contexts and over the objects of a context.
 *
 * They hold no reference between two steps and take no lock: each step finds
 * the next number or id under RCU and copies the data. Contexts and objects
 * that are created or destroyed during the iteration may or may not be
 * reported; none is reported twice.
 *
 * The verifier reserves space for an iterator on the stack by the size of its
 * struct, so a program that was compiled for a smaller one no longer loads.
 * Descriptions that grow are therefore allocated.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "bpf/info.h"
#include "bpf/iommufd_bpf.h"
#include "bpf/iter.h"
#include "core/ctx.h"

/**
 * struct bpf_iter_iommufd_ctx - context iterator, on the program's stack
 * @__opaque: private
 */
struct bpf_iter_iommufd_ctx {
	__u64 __opaque[6];
} __aligned(8);

/* The contents of struct bpf_iter_iommufd_ctx. */
struct ctx_iter {
	struct iommufd_ctx_info info;
	u64 last;
};

/**
 * struct bpf_iter_iommufd_object - object iterator, on the program's stack
 * @__opaque: private
 */
struct bpf_iter_iommufd_object {
	__u64 __opaque[12];
} __aligned(8);

/* The contents of struct bpf_iter_iommufd_object. */
struct object_iter {
	struct iommufd_object_info *info;
	u32 ctx;
	u32 last;
};

__bpf_kfunc_start_defs();

/**
 * bpf_iter_iommufd_ctx_new - start iterating over contexts
 * @it: the iterator
 *
 * Context: Any context.
 *
 * Return: 0
 */
__bpf_kfunc int bpf_iter_iommufd_ctx_new(struct bpf_iter_iommufd_ctx *it)
{
	struct ctx_iter *iter = (void *)it;

	static_assert(sizeof(*iter) == sizeof(*it));
	iter->last = 0;
	return 0;
}

/**
 * bpf_iter_iommufd_ctx_next - get the next context in the order of numbers
 * @it: the iterator
 *
 * Context: Any context. Takes no lock.
 *
 * Return: A description of the context, which is valid until the next step, or
 * NULL if there are no more contexts.
 */
__bpf_kfunc struct iommufd_ctx_info *
bpf_iter_iommufd_ctx_next(struct bpf_iter_iommufd_ctx *it)
{
	struct ctx_iter *iter = (void *)it;

	if (!iommufd_next_ctx_info(iter->last, &iter->info))
		return NULL;
	iter->last = iter->info.ctx;
	return &iter->info;
}

/**
 * bpf_iter_iommufd_ctx_destroy - stop iterating over contexts
 * @it: the iterator
 *
 * Context: Any context.
 */
__bpf_kfunc void bpf_iter_iommufd_ctx_destroy(struct bpf_iter_iommufd_ctx *it)
{
}

/**
 * bpf_iter_iommufd_object_new - start iterating over the objects of a context
 * @it: the iterator
 * @ctx: number of the context; it need not exist
 *
 * Context: Any context.
 *
 * Return: 0, or -ENOMEM, in which case the iterator finds nothing.
 */
__bpf_kfunc int bpf_iter_iommufd_object_new(struct bpf_iter_iommufd_object *it,
					    u32 ctx)
{
	struct object_iter *iter = (void *)it;

	static_assert(sizeof(*iter) <= sizeof(*it));
	iter->info = kmalloc_nolock(sizeof(*iter->info), 0, NUMA_NO_NODE);
	iter->ctx = ctx;
	iter->last = 0;
	return iter->info ? 0 : -ENOMEM;
}

/**
 * bpf_iter_iommufd_object_next - get the next object in the order of ids
 * @it: the iterator
 *
 * Context: Any context. Takes no lock.
 *
 * Return: A description of the object, which is valid until the next step, or
 * NULL if there are no more objects or the context does not exist.
 */
__bpf_kfunc struct iommufd_object_info *
bpf_iter_iommufd_object_next(struct bpf_iter_iommufd_object *it)
{
	struct object_iter *iter = (void *)it;

	if (!iter->info ||
	    !iommufd_next_object_info(iter->ctx, iter->last, iter->info))
		return NULL;
	iter->last = iter->info->id;
	return iter->info;
}

/**
 * bpf_iter_iommufd_object_destroy - stop iterating over objects
 * @it: the iterator
 *
 * Context: Any context.
 */
__bpf_kfunc void
bpf_iter_iommufd_object_destroy(struct bpf_iter_iommufd_object *it)
{
	struct object_iter *iter = (void *)it;

	kfree_nolock(iter->info);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(iter_kfuncs)
BTF_ID_FLAGS(func, bpf_iter_iommufd_ctx_new, KF_ITER_NEW)
BTF_ID_FLAGS(func, bpf_iter_iommufd_ctx_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_iommufd_ctx_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_iter_iommufd_object_new, KF_ITER_NEW)
BTF_ID_FLAGS(func, bpf_iter_iommufd_object_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_iommufd_object_destroy, KF_ITER_DESTROY)
BTF_KFUNCS_END(iter_kfuncs)

/*
 * A task runs programs of type syscall while it holds no lock, so these can
 * list areas, and charge their pages, too. A module can register only one set
 * for each type.
 */
BTF_KFUNCS_START(syscall_kfuncs)
BTF_ID_FLAGS(func, bpf_iter_iommufd_ctx_new, KF_ITER_NEW)
BTF_ID_FLAGS(func, bpf_iter_iommufd_ctx_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_iommufd_ctx_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_iter_iommufd_object_new, KF_ITER_NEW)
BTF_ID_FLAGS(func, bpf_iter_iommufd_object_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_iommufd_object_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_iter_iommufd_area_new, KF_ITER_NEW | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_iter_iommufd_area_next,
	     KF_ITER_NEXT | KF_RET_NULL | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_iter_iommufd_area_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_iommufd_charge_pinned, KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_iommufd_count_sizes, KF_SLEEPABLE)
BTF_KFUNCS_END(syscall_kfuncs)

static const struct btf_kfunc_id_set iter_set = {
	.owner = THIS_MODULE,
	.set = &iter_kfuncs,
};

static const struct btf_kfunc_id_set syscall_set = {
	.owner = THIS_MODULE,
	.set = &syscall_kfuncs,
};

/**
 * iommufd_iter_init - register the iterators with the BPF core
 *
 * Return: 0 or a negative errno of the BPF core.
 */
int __init iommufd_iter_init(void)
{
	int ret;

	ret = register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING, &iter_set);
	ret = ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS,
					       &iter_set);
	return ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL,
						&syscall_set);
}
