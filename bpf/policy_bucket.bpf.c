// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy: a token bucket for invalidations. Each context, which is a guest, gets
 * so many entries a second and may be ahead by a burst; who asks for more waits,
 * so that one guest can't fill the command queue of the IOMMU that all share.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

struct bucket_settings {
	__u64 rate; /* entries a second for each context; 0 for any number */
	__u64 burst; /* entries that may come at once */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bucket_settings);
} settings SEC(".maps");

static const struct bucket_settings *get_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

struct bucket {
	__u64 paid_until; /* when all entries so far are in the rate, ktime */
	__u64 delayed; /* requests that had to wait */
	__u64 delay_ns; /* how long, in all */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

static struct bucket *bucket_of(__u32 ctx)
{
	struct bucket empty = {}, *bucket;

	bucket = bpf_map_lookup_elem(&buckets, &ctx);
	if (bucket)
		return bucket;
	bpf_map_update_elem(&buckets, &ctx, &empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&buckets, &ctx);
}

/* Two that meet here more often than this are let through. */
#define TRIES 16

/* Take tokens; how long to wait for those that are not there yet. */
static __u64 take(struct bucket *bucket, __u64 cost_ns, __u64 burst_ns)
{
	__u64 now = bpf_ktime_get_ns(), old, until, wait;
	int i;

	for (i = 0; i < TRIES; i++) {
		old = bucket->paid_until;
		until = (old + burst_ns < now ? now - burst_ns : old) + cost_ns;
		if (__sync_val_compare_and_swap(&bucket->paid_until, old,
						until) != old)
			continue;
		if (until <= now)
			return 0;
		wait = until - now;
		__sync_fetch_and_add(&bucket->delayed, 1);
		__sync_fetch_and_add(&bucket->delay_ns, wait);
		return wait;
	}
	return 0;
}

SEC("struct_ops/hwpt_invalidate")
int BPF_PROG(bucket_invalidate, struct iommufd_bpf_invalidate *call)
{
	const struct bucket_settings *set = get_settings();
	struct bucket *bucket = bucket_of(call->caller.ctx);

	if (!bucket || !set || !set->rate)
		return 0;
	call->delay_ns = take(bucket, call->asked * NSEC_PER_SEC / set->rate,
			      set->burst * NSEC_PER_SEC / set->rate);
	return 0;
}

SEC(".struct_ops.link")
struct iommufd_bpf_ops bucket = {
	.hwpt_invalidate = (void *)bucket_invalidate,
	.name = "bucket",
	.priority = 50,
};
