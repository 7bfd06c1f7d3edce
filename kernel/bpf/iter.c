// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open-coded BPF iterators over contexts and over the objects of a context.
 *
 * They hold nothing between two steps and take no lock: a step looks for the
 * next number or id under RCU and copies what it finds. What comes or goes
 * meanwhile is found or not; nothing is found twice.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>

#include "bpf/iommufd_bpf.h"
#include "bpf/iter.h"
#include "core/ctx.h"
#include "core/info.h"

/**
 * struct bpf_iter_iommufd_ctx - iterator over contexts, on the program's stack
 * @__opaque: private
 */
struct bpf_iter_iommufd_ctx {
	__u64 __opaque[6];
} __aligned(8);

/* What it is made of. */
struct ctx_iter {
	struct iommufd_ctx_info info;
	u64 last;
};

/**
 * struct bpf_iter_iommufd_object - iterator over objects, on the program's stack
 * @__opaque: private
 */
struct bpf_iter_iommufd_object {
	__u64 __opaque[12];
} __aligned(8);

/* What it is made of. */
struct object_iter {
	struct iommufd_object_info info;
	u32 ctx;
	u32 last;
};

__bpf_kfunc_start_defs();

/**
 * bpf_iter_iommufd_ctx_new - begin with the contexts
 * @it: the iterator
 *
 * Context: any.
 *
 * Returns 0.
 */
__bpf_kfunc int bpf_iter_iommufd_ctx_new(struct bpf_iter_iommufd_ctx *it)
{
	struct ctx_iter *iter = (void *)it;

	static_assert(sizeof(*iter) == sizeof(*it));
	iter->last = 0;
	return 0;
}

/**
 * bpf_iter_iommufd_ctx_next - the next context, by its number
 * @it: the iterator
 *
 * Context: any; takes no lock.
 *
 * Returns what is known of it, good until the next step, or NULL.
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
 * bpf_iter_iommufd_ctx_destroy - end with the contexts
 * @it: the iterator
 *
 * Context: any.
 */
__bpf_kfunc void bpf_iter_iommufd_ctx_destroy(struct bpf_iter_iommufd_ctx *it)
{
}

/**
 * bpf_iter_iommufd_object_new - begin with the objects of a context
 * @it: the iterator
 * @ctx: number of the context; it need not be there
 *
 * Context: any.
 *
 * Returns 0.
 */
__bpf_kfunc int bpf_iter_iommufd_object_new(struct bpf_iter_iommufd_object *it,
					    u32 ctx)
{
	struct object_iter *iter = (void *)it;

	static_assert(sizeof(*iter) == sizeof(*it));
	iter->ctx = ctx;
	iter->last = 0;
	return 0;
}

/**
 * bpf_iter_iommufd_object_next - the next object, by its id
 * @it: the iterator
 *
 * Context: any; takes no lock.
 *
 * Returns what is known of it, good until the next step, or NULL if there is
 * none or the context is gone.
 */
__bpf_kfunc struct iommufd_object_info *
bpf_iter_iommufd_object_next(struct bpf_iter_iommufd_object *it)
{
	struct object_iter *iter = (void *)it;

	if (!iommufd_next_object_info(iter->ctx, iter->last, &iter->info))
		return NULL;
	iter->last = iter->info.id;
	return &iter->info;
}

/**
 * bpf_iter_iommufd_object_destroy - end with the objects of a context
 * @it: the iterator
 *
 * Context: any.
 */
__bpf_kfunc void
bpf_iter_iommufd_object_destroy(struct bpf_iter_iommufd_object *it)
{
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

static const struct btf_kfunc_id_set iter_set = {
	.owner = THIS_MODULE,
	.set = &iter_kfuncs,
};

/**
 * iommufd_iter_init - let BPF know of the iterators
 *
 * Returns 0 or a negative errno of the BPF core.
 */
int __init iommufd_iter_init(void)
{
	static const enum bpf_prog_type types[] = {
		BPF_PROG_TYPE_TRACING,
		BPF_PROG_TYPE_SYSCALL,
		BPF_PROG_TYPE_STRUCT_OPS,
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(types); i++)
		ret = register_btf_kfunc_id_set(types[i], &iter_set);
	return ret;
}
