// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy: limits the number of page tables (HWPTs) of a user or a cgroup,
 * including automatic ones. Further allocations fail with EDQUOT.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

/* Kind of owner: a user id, or a cgroup id. */
enum owner_kind {
	BY_UID = 0,
	BY_CGROUP = 1,
};

struct quota_settings {
	__u32 limit; /* page tables for each owner; 0 for no limit */
	__u32 by; /* enum owner_kind */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct quota_settings);
} settings SEC(".maps");

static const struct quota_settings *get_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

/* Number of page tables of an owner, including those being allocated. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} owners SEC(".maps");

struct hwpt_key {
	__u32 ctx;
	__u32 hwpt;
};

/* Owner of a page table, which another process may destroy. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, struct hwpt_key);
	__type(value, __u64);
} hwpts SEC(".maps");

static __u64 owner_of(const struct iommufd_bpf_hwpt *call)
{
	const struct quota_settings *quota = get_settings();

	return quota && quota->by == BY_CGROUP ? call->caller.cgroup_id :
						 call->caller.uid;
}

static __u64 *count_of(__u64 owner)
{
	__u64 none = 0, *count;

	count = bpf_map_lookup_elem(&owners, &owner);
	if (count)
		return count;
	bpf_map_update_elem(&owners, &owner, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&owners, &owner);
}

SEC("struct_ops/hwpt_alloc")
int BPF_PROG(quota_alloc, struct iommufd_bpf_hwpt *call)
{
	const struct quota_settings *quota = get_settings();
	__u64 *count = count_of(owner_of(call));

	/* Too many owners to count: prefer refusing to exceeding the limit. */
	if (!count || !quota)
		return -EDQUOT;
	if (__sync_fetch_and_add(count, 1) >= quota->limit && quota->limit)
		return -EDQUOT;
	return 0;
}

SEC("struct_ops/hwpt_alloc_done")
void BPF_PROG(quota_alloc_done, struct iommufd_bpf_hwpt *call)
{
	struct hwpt_key key = { call->caller.ctx, call->hwpt };
	__u64 owner = owner_of(call), *count;

	/* If the allocation failed, it has been counted all the same. */
	if (!call->ret && !bpf_map_update_elem(&hwpts, &key, &owner, BPF_ANY))
		return;
	count = count_of(owner);
	if (count)
		__sync_fetch_and_add(count, -1);
}

SEC("struct_ops/hwpt_free")
void BPF_PROG(quota_free, struct iommufd_bpf_hwpt *call)
{
	struct hwpt_key key = { call->caller.ctx, call->hwpt };
	__u64 *owner = bpf_map_lookup_elem(&hwpts, &key), *count;

	if (!owner)
		return;
	count = count_of(*owner);
	if (count)
		__sync_fetch_and_add(count, -1);
	bpf_map_delete_elem(&hwpts, &key);
}

SEC(".struct_ops.link")
struct iommufd_bpf_ops quota = {
	.hwpt_alloc = (void *)quota_alloc,
	.hwpt_alloc_done = (void *)quota_alloc_done,
	.hwpt_free = (void *)quota_free,
	.name = "quota",
	.priority = 100,
};
