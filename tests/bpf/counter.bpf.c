// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts all objects from a policy, and from a tracepoint that fires in the
 * middle of a change.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../../bpf/iommufd_iter.h"
#include "../../bpf/iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

/* The last counts, and how often they were taken: tests read .bss. */
struct {
	__u64 policy_calls;
	__u64 policy_objects;
	__u64 event_calls;
	__u64 event_objects;
} counted;

static __u64 objects_of(__u32 ctx)
{
	struct bpf_iter_iommufd_object it;
	__u64 found = 0;

	bpf_iter_iommufd_object_new(&it, ctx);
	while (bpf_iter_iommufd_object_next(&it))
		found++;
	bpf_iter_iommufd_object_destroy(&it);
	return found;
}

static __u64 all_objects(void)
{
	struct bpf_iter_iommufd_ctx it;
	struct iommufd_ctx_info *ctx;
	__u64 found = 0;

	bpf_iter_iommufd_ctx_new(&it);
	while ((ctx = bpf_iter_iommufd_ctx_next(&it)))
		found += objects_of(ctx->ctx);
	bpf_iter_iommufd_ctx_destroy(&it);
	return found;
}

SEC("struct_ops/hwpt_alloc")
int BPF_PROG(counter_alloc, struct iommufd_bpf_hwpt *call)
{
	counted.policy_calls++;
	counted.policy_objects = all_objects();
	return 0;
}

SEC("tp_btf/iommufd_object_create")
int BPF_PROG(counter_create)
{
	counted.event_calls++;
	counted.event_objects = all_objects();
	return 0;
}

SEC(".struct_ops.link")
struct iommufd_bpf_ops counter = {
	.hwpt_alloc = (void *)counter_alloc,
	.name = "counter",
};
