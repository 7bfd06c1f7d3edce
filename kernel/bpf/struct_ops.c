// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers struct iommufd_bpf_ops as a BPF struct_ops type: the checks of the
 * verifier for programs, and the checks of a map before it can be attached.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/filter.h>
#include <linux/module.h>

#include "bpf/iter.h"
#include "bpf/policy.h"

/* It stays valid as long as programs can be loaded. */
static const struct btf *ops_btf;

static int ops_init(struct btf *btf)
{
	ops_btf = btf;
	return 0;
}

/**
 * struct writable - adjacent members that a function may write
 * @function: offset of the function in struct iommufd_bpf_ops
 * @start: offset of the first member in the structure that the function gets
 * @end: end of the last member
 */
struct writable {
	u32 function;
	int start;
	int end;
};

/*
 * All members can be read. Functions that are called at the end of a request
 * can't write any, so that all policies see the same values.
 */
static const struct writable writables[] = {
	{
		.function = offsetof(struct iommufd_bpf_ops, hwpt_alloc),
		.start = offsetof(struct iommufd_bpf_hwpt, add_flags),
		.end = offsetofend(struct iommufd_bpf_hwpt, add_flags),
	},
	{
		.function = offsetof(struct iommufd_bpf_ops, hwpt_alloc),
		.start = offsetof(struct iommufd_bpf_hwpt, max_page_shift),
		.end = offsetofend(struct iommufd_bpf_hwpt, max_page_shift),
	},
	{
		.function = offsetof(struct iommufd_bpf_ops, hwpt_invalidate),
		.start = offsetof(struct iommufd_bpf_invalidate, limit),
		.end = offsetofend(struct iommufd_bpf_invalidate, delay_ns),
	},
	{
		.function = offsetof(struct iommufd_bpf_ops, charge),
		.start = offsetof(struct iommufd_bpf_charge, detail),
		.end = offsetofend(struct iommufd_bpf_charge, detail),
	},
};

/*
 * The type to which the argument of a program points. BTF_ID() would not do: the
 * kernel renumbers the types of a module whose BTF has a base of its own, as
 * that of an external module, and does not export how.
 */
static u32 argument_type(const struct bpf_prog *prog)
{
	const struct btf_param *argument =
		btf_params(prog->aux->attach_func_proto);

	return btf_type_by_id(ops_btf, argument->type)->type;
}

static bool is_writable(const struct bpf_prog *prog,
			const struct bpf_reg_state *reg, int off, int size)
{
	const struct writable *each;
	unsigned int i;

	/* Types in the BTF of other modules may have the same ids. */
	if (reg->btf != ops_btf || reg->btf_id != argument_type(prog))
		return false;
	for (i = 0; i < ARRAY_SIZE(writables); i++) {
		each = &writables[i];
		if (each->function == prog->aux->attach_st_ops_member_off &&
		    off >= each->start && off + size <= each->end)
			return true;
	}
	return false;
}

static int ops_struct_access(struct bpf_verifier_log *log,
			     const struct bpf_reg_state *reg, int off, int size)
{
	/* The verifier passes the log that is embedded in its environment. */
	const struct bpf_verifier_env *env =
		container_of(log, struct bpf_verifier_env, log);

	if (is_writable(env->prog, reg, off, size))
		return 0;
	bpf_log(log, "only hwpt_alloc writes add_flags and max_page_shift\n");
	bpf_log(log, "only hwpt_invalidate writes limit and delay_ns\n");
	bpf_log(log, "only charge writes detail\n");
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

/* Initialize the settings; the BPF core handles the functions. */
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

/* These are called with mutexes held that other requests wait for. */
static int ops_check_member(const struct btf_type *t,
			    const struct btf_member *member,
			    const struct bpf_prog *prog)
{
	u32 offset = __btf_member_bit_offset(t, member) / BITS_PER_BYTE;

	switch (offset) {
	case offsetof(struct iommufd_bpf_ops, charge):
	case offsetof(struct iommufd_bpf_ops, uncharge):
		return prog->sleepable ? -EINVAL : 0;
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

/* Prototypes for the indirect calls (CFI). */
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

static int charge_stub(struct iommufd_bpf_charge *call)
{
	return 0;
}

static void uncharge_stub(struct iommufd_bpf_charge *call)
{
}

static struct iommufd_bpf_ops ops_stubs = {
	.hwpt_alloc = hwpt_alloc_stub,
	.hwpt_alloc_done = hwpt_alloc_done_stub,
	.hwpt_free = hwpt_free_stub,
	.hwpt_invalidate = hwpt_invalidate_stub,
	.hwpt_invalidate_done = hwpt_invalidate_done_stub,
	.charge = charge_stub,
	.uncharge = uncharge_stub,
};

static struct bpf_struct_ops iommufd_struct_ops = {
	.verifier_ops = &ops_verifier,
	.init = ops_init,
	.init_member = ops_init_member,
	.check_member = ops_check_member,
	.reg = ops_reg,
	.unreg = ops_unreg,
	.update = ops_update,
	.validate = ops_validate,
	.cfi_stubs = &ops_stubs,
	.owner = THIS_MODULE,
	.name = "iommufd_bpf_ops",
};

/**
 * iommufd_bpf_init - register policies and iterators with the BPF core
 *
 * They can't be unregistered: the BPF core drops them with the module.
 *
 * Return: 0 or a negative errno of the BPF core, for example if the kernel has
 * no BTF for the module.
 */
int __init iommufd_bpf_init(void)
{
	int ret;

	ret = iommufd_iter_init();
	return ret ?: register_bpf_struct_ops(&iommufd_struct_ops,
					      iommufd_bpf_ops);
}
