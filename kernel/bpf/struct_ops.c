// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct iommufd_bpf_ops as a type of BPF struct_ops: what the verifier lets
 * programs do, and what is asked of a map before it can be attached.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/filter.h>
#include <linux/module.h>

#include "bpf/iter.h"
#include "bpf/policy.h"

BTF_ID_LIST(arg_ids)
BTF_ID(struct, iommufd_bpf_hwpt)
BTF_ID(struct, iommufd_bpf_invalidate)

static int ops_init(struct btf *btf)
{
	return 0;
}

/* Everything can be read, so much can be written. */
static bool is_writable(u32 type_id, int off, int size)
{
	int end = off + size;

	if (type_id == arg_ids[0])
		return off >= offsetof(struct iommufd_bpf_hwpt, add_flags) &&
		       end <= offsetofend(struct iommufd_bpf_hwpt, add_flags);
	if (type_id == arg_ids[1])
		return off >= offsetof(struct iommufd_bpf_invalidate, limit) &&
		       end <= offsetofend(struct iommufd_bpf_invalidate,
					  delay_ns);
	return false;
}

static int ops_struct_access(struct bpf_verifier_log *log,
			     const struct bpf_reg_state *reg, int off, int size)
{
	if (is_writable(reg->btf_id, off, size))
		return 0;
	bpf_log(log, "only add_flags, limit and delay_ns can be written\n");
	return -EACCES;
}

static bool ops_is_valid_access(int off, int size, enum bpf_access_type type,
				const struct bpf_prog *prog,
				struct bpf_insn_access_aux *info)
{
	return bpf_tracing_btf_ctx_access(off, size, type, prog, info);
}

static const struct bpf_verifier_ops ops_verifier = {
	.get_func_proto = bpf_base_func_proto,
	.is_valid_access = ops_is_valid_access,
	.btf_struct_access = ops_struct_access,
};

/* The settings; functions are the business of the BPF core. */
static int ops_init_member(const struct btf_type *t,
			   const struct btf_member *member, void *kdata,
			   const void *udata)
{
	u32 offset = __btf_member_bit_offset(t, member) / BITS_PER_BYTE;
	const struct iommufd_bpf_ops *from = udata;
	struct iommufd_bpf_ops *to = kdata;

	switch (offset) {
	case offsetof(struct iommufd_bpf_ops, name):
		if (strscpy(to->name, from->name) <= 0)
			return -EINVAL;
		return 1;
	case offsetof(struct iommufd_bpf_ops, priority):
		to->priority = from->priority;
		return 1;
	case offsetof(struct iommufd_bpf_ops, flags):
		return from->flags ? -EINVAL : 1;
	case offsetof(struct iommufd_bpf_ops, cgroup_id):
		to->cgroup_id = from->cgroup_id;
		return 1;
	default:
		return 0;
	}
}

static int ops_reg(void *kdata, struct bpf_link *link)
{
	return iommufd_policy_attach(kdata, link);
}

static void ops_unreg(void *kdata, struct bpf_link *link)
{
	iommufd_policy_detach(link);
}

static int ops_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	return iommufd_policy_update(kdata, link);
}

static int ops_validate(void *kdata)
{
	return 0;
}

/* What an indirect call has to look like. */
static int hwpt_alloc_stub(struct iommufd_bpf_hwpt *call)
{
	return 0;
}

static void hwpt_alloc_done_stub(struct iommufd_bpf_hwpt *call)
{
}

static void hwpt_free_stub(struct iommufd_bpf_hwpt *call)
{
}

static int hwpt_invalidate_stub(struct iommufd_bpf_invalidate *call)
{
	return 0;
}

static void hwpt_invalidate_done_stub(struct iommufd_bpf_invalidate *call)
{
}

static struct iommufd_bpf_ops ops_stubs = {
	.hwpt_alloc = hwpt_alloc_stub,
	.hwpt_alloc_done = hwpt_alloc_done_stub,
	.hwpt_free = hwpt_free_stub,
	.hwpt_invalidate = hwpt_invalidate_stub,
	.hwpt_invalidate_done = hwpt_invalidate_done_stub,
};

static struct bpf_struct_ops iommufd_struct_ops = {
	.verifier_ops = &ops_verifier,
	.init = ops_init,
	.init_member = ops_init_member,
	.reg = ops_reg,
	.unreg = ops_unreg,
	.update = ops_update,
	.validate = ops_validate,
	.cfi_stubs = &ops_stubs,
	.owner = THIS_MODULE,
	.name = "iommufd_bpf_ops",
};

/**
 * iommufd_bpf_init - let BPF know of policies and iterators
 *
 * There is no way back: the BPF core forgets them with the module.
 *
 * Returns 0 or a negative errno of the BPF core, such as when the kernel has no
 * BTF for the module.
 */
int __init iommufd_bpf_init(void)
{
	int ret;

	ret = iommufd_iter_init();
	return ret ?: register_bpf_struct_ops(&iommufd_struct_ops,
					      iommufd_bpf_ops);
}
