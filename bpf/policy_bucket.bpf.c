// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy: a token bucket for invalidations. Each context, that is each guest,
 * gets a number of entries per second and may exceed the rate by a burst;
 * requests beyond that wait, so that one guest can't fill the command queue of
 * the IOMMU, which all guests share. A request gets no more entries than fit
 * the longest delay, and EAGAIN for the rest, so the rate holds for requests of
 * any size.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

struct bucket_settings {
	__u64 rate; /* entries per second for each context; 0 for no limit */
	__u64 burst; /* entries that may come in one burst */
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
	__s64 paid_until; /* end of all entries so far at the rate, ktime */
	__u64 delayed; /* requests that had to wait */
	__u64 delay_ns; /* total time that they waited */
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

#define MAX_DELAY_NS ((__s64)IOMMUFD_BPF_MAX_DELAY_NS)

/* Upper limit of settings: in nanoseconds they still fit 64 bits. */
#define MOST (1ULL << 32)

static __u64 at_most(__u64 value, __u64 most)
{
	return value < most ? value : most;
}

/* Rounded up, so that many small requests don't exceed the rate. */
static __u64 cost_ns(__u64 entries, __u64 rate)
{
	return (entries * NSEC_PER_SEC + rate - 1) / rate;
}

/* After this many collisions of two requests, a request gets nothing. */
#define TRIES 16

/* Takes tokens for as many entries as possible, and computes the delay. */
static void take(struct bucket *bucket, __u64 rate, __u64 burst,
		 struct iommufd_bpf_invalidate *call)
{
	__s64 now = bpf_ktime_get_ns(), old, from, until;
	__u64 entries;
	int i;

	for (i = 0; i < TRIES; i++) {
		old = bucket->paid_until;
		/* Negative if the machine has not been up for that long. */
		from = now - (__s64)cost_ns(burst, rate);
		if (old && old > from)
			from = old;
		/* The existing debt may already need the longest delay. */
		entries = 0;
		if (from < now + MAX_DELAY_NS)
			entries = (__u64)(now + MAX_DELAY_NS - from) * rate /
				  NSEC_PER_SEC;
		entries = at_most(entries, call->asked);
		until = from + (__s64)cost_ns(entries, rate);
		if (__sync_val_compare_and_swap(&bucket->paid_until, old,
						until) != old)
			continue;
		call->limit = entries;
		if (until <= now)
			return;
		call->delay_ns = until - now;
		__sync_fetch_and_add(&bucket->delayed, 1);
		__sync_fetch_and_add(&bucket->delay_ns, until - now);
		return;
	}
	call->limit = 0;
}

SEC("struct_ops/hwpt_invalidate")
int BPF_PROG(bucket_invalidate, struct iommufd_bpf_invalidate *call)
{
	const struct bucket_settings *set = get_settings();
	struct bucket *bucket;

	if (!set || !set->rate || !call->asked)
		return 0;
	bucket = bucket_of(call->caller.ctx);
	if (bucket)
		take(bucket, at_most(set->rate, MOST),
		     at_most(set->burst, MOST), call);
	else
		call->limit = 0;
	return 0;
}

SEC(".struct_ops.link")
struct iommufd_bpf_ops bucket = {
	.hwpt_invalidate = (void *)bucket_invalidate,
	.name = "bucket",
	.priority = 50,
};
