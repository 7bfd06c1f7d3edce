// SPDX-License-Identifier: GPL-2.0-only
/* A policy with counters per CPU. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../../bpf/iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

struct counts {
	__u32 made;
	__s32 errors;
	char name[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} all SEC(".maps");

/* By the kind of the page table. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} kinds SEC(".maps");

SEC("struct_ops/hwpt_alloc_done")
void BPF_PROG(percpu_done, struct iommufd_bpf_hwpt *call)
{
	__u32 zero = 0, one = 1, kind = call->kind, *count;
	struct counts *counts = bpf_map_lookup_elem(&all, &zero);

	if (!counts)
		return;
	counts->made += !call->ret;
	counts->errors += call->ret;
	counts->name[0] = 'x';
	count = bpf_map_lookup_elem(&kinds, &kind);
	if (count)
		++*count;
	else
		bpf_map_update_elem(&kinds, &kind, &one, BPF_NOEXIST);
}

SEC(".struct_ops.link")
struct iommufd_bpf_ops percpu = {
	.hwpt_alloc_done = (void *)percpu_done,
	.name = "percpu",
};
