// SPDX-License-Identifier: GPL-2.0-only
/* Programs that write fields that they must not: one is loaded at a time. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../../bpf/iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

#define HWPT(_member)                                               \
	SEC("?struct_ops/hwpt_alloc")                               \
	int BPF_PROG(hwpt_##_member, struct iommufd_bpf_hwpt *call) \
	{                                                           \
		call->_member = 1;                                  \
		return 0;                                           \
	}                                                           \
	SEC("?.struct_ops.link")                                    \
	struct iommufd_bpf_ops set_hwpt_##_member = {               \
		.hwpt_alloc = (void *)hwpt_##_member,               \
		.name = "writes",                                   \
	}

#define INVALIDATE(_member)                                              \
	SEC("?struct_ops/hwpt_invalidate")                               \
	int BPF_PROG(inv_##_member, struct iommufd_bpf_invalidate *call) \
	{                                                                \
		call->_member = 1;                                       \
		return 0;                                                \
	}                                                                \
	SEC("?.struct_ops.link")                                         \
	struct iommufd_bpf_ops set_inv_##_member = {                     \
		.hwpt_invalidate = (void *)inv_##_member,                \
		.name = "writes",                                        \
	}

#define CHARGE(_member)                                                 \
	SEC("?struct_ops/charge")                                       \
	int BPF_PROG(charge_##_member, struct iommufd_bpf_charge *call) \
	{                                                               \
		call->_member = 1;                                      \
		return 0;                                               \
	}                                                               \
	SEC("?.struct_ops.link")                                        \
	struct iommufd_bpf_ops set_charge_##_member = {                 \
		.charge = (void *)charge_##_member,                     \
		.name = "writes",                                       \
	}

HWPT(hwpt);
HWPT(parent);
HWPT(device);
HWPT(kind);
HWPT(automatic);
HWPT(flags);
HWPT(data_type);
HWPT(data_len);
HWPT(data);
HWPT(ret);
HWPT(add_flags);
HWPT(max_page_shift);
HWPT(can_add);
HWPT(ns);
INVALIDATE(object);
INVALIDATE(kind);
INVALIDATE(data_type);
INVALIDATE(entry_len);
INVALIDATE(asked);
INVALIDATE(handled);
INVALIDATE(data);
INVALIDATE(ret);
INVALIDATE(limit);
INVALIDATE(delay_ns);
INVALIDATE(ns);
CHARGE(ctx);
CHARGE(tgid);
CHARGE(forced);
CHARGE(npages);
CHARGE(detail);
CHARGE(cgroup_id);
CHARGE(page_shift);

SEC("?struct_ops/hwpt_alloc")
int BPF_PROG(hwpt_caller, struct iommufd_bpf_hwpt *call)
{
	call->caller.uid = 0;
	return 0;
}

SEC("?.struct_ops.link")
struct iommufd_bpf_ops set_hwpt_caller = {
	.hwpt_alloc = (void *)hwpt_caller,
	.name = "writes",
};

/* These hooks run after the request: nothing may be written. */
#define OVER(_hook, _type, _member)                          \
	SEC("?struct_ops/" #_hook)                           \
	void BPF_PROG(_hook##_##_member, struct _type *call) \
	{                                                    \
		call->_member = 1;                           \
	}                                                    \
	SEC("?.struct_ops.link")                             \
	struct iommufd_bpf_ops set_##_hook##_##_member = {   \
		._hook = (void *)_hook##_##_member,          \
		.name = "writes",                            \
	}

OVER(hwpt_alloc_done, iommufd_bpf_hwpt, add_flags);
OVER(hwpt_alloc_done, iommufd_bpf_hwpt, max_page_shift);
OVER(hwpt_free, iommufd_bpf_hwpt, add_flags);
OVER(hwpt_invalidate_done, iommufd_bpf_invalidate, limit);
OVER(hwpt_invalidate_done, iommufd_bpf_invalidate, delay_ns);
OVER(uncharge, iommufd_bpf_charge, detail);
