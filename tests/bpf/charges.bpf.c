// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two policies that record what they are charged for, in one ring buffer, and
 * answer as configured.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../../bpf/iommufd_policy.h"
#include "charges.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CHARGERS);
	__type(key, __u32);
	__type(value, struct charges_settings);
} settings SEC(".maps");

/* Calls that run now; more than one would be a defect. */
__u32 running;
__u64 overlaps;
/* Calls that did not fit into the ring buffer. */
__u64 lost;

static void record(__u32 who, __u32 hook, struct iommufd_bpf_charge *call)
{
	struct charges_call *record;
	int i;

	if (__sync_fetch_and_add(&running, 1))
		__sync_fetch_and_add(&overlaps, 1);
	record = bpf_ringbuf_reserve(&calls, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		__sync_fetch_and_add(&running, -1);
		return;
	}
	record->who = who;
	record->hook = hook;
	record->ctx = call->ctx;
	record->ioas = call->ioas;
	record->tgid = call->tgid;
	record->uid = call->uid;
	record->source = call->source;
	record->forced = call->forced;
	record->level = call->level;
	record->page_shift = call->page_shift;
	record->npages = call->npages;
	record->cgroup_id = call->cgroup_id;
#pragma unroll
	for (i = 0; i < IOMMUFD_BPF_MAX_ANCESTORS; i++)
		record->ancestors[i] = call->ancestors[i];
	bpf_ringbuf_submit(record, 0);
	__sync_fetch_and_add(&running, -1);
}

static __s64 charge(__u32 who, struct iommufd_bpf_charge *call)
{
	struct charges_settings *set = bpf_map_lookup_elem(&settings, &who);

	record(who, HOOK_CHARGE, call);
	if (!set)
		return 0;
	call->detail = set->detail;
	return set->ret;
}

#define CHARGER(_name, _who)                                             \
	SEC("struct_ops/charge")                                         \
	__s64 BPF_PROG(_name##_charge, struct iommufd_bpf_charge *call)  \
	{                                                                \
		return charge(_who, call);                               \
	}                                                                \
	SEC("struct_ops/uncharge")                                       \
	void BPF_PROG(_name##_uncharge, struct iommufd_bpf_charge *call) \
	{                                                                \
		record(_who, HOOK_UNCHARGE, call);                       \
	}                                                                \
	SEC(".struct_ops.link")                                          \
	struct iommufd_bpf_ops _name = {                                 \
		.charge = (void *)_name##_charge,                        \
		.uncharge = (void *)_name##_uncharge,                    \
		.name = #_name,                                          \
	}

CHARGER(first, 0);
CHARGER(second, 1);
