// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what the lists of contexts and objects don't have: failures, durations
 * of maps and unmaps, page faults; and the requests of each context, because
 * the lists don't include destroyed objects. Counters are per CPU, so that CPUs
 * don't contend for them.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_exporter.h"
#include "sizing.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct exporter_counts);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, EXPORTER_MAX_CONTEXTS);
	__type(key, __u32);
	__type(value, struct exporter_totals);
} contexts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, EXPORTER_MAX_DEVICES);
	__type(key, struct exporter_key);
	__type(value, struct exporter_device);
} devices SEC(".maps");

/* The exporter removes those of contexts that are gone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, EXPORTER_MAX_FAILURES);
	__type(key, struct exporter_key);
	__type(value, __u64);
} failures SEC(".maps");

/* Requests that a policy refused or limited, by its name. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EXPORTER_MAX_POLICIES);
	__type(key, char[EXPORTER_POLICY_LEN]);
	__type(value, __u64);
} policies SEC(".maps");

/* Events that did not fit there. */
__u64 lost;

static void count_in(void *map, const void *key)
{
	__u64 none = 0, *number = bpf_map_lookup_elem(map, key);

	if (!number) {
		/* Another CPU may be adding it, too. */
		bpf_map_update_elem(map, key, &none, BPF_NOEXIST);
		number = bpf_map_lookup_elem(map, key);
	}
	if (number)
		__sync_fetch_and_add(number, 1);
	else
		__sync_fetch_and_add(&lost, 1);
}

static void count(__u32 ctx, enum exporter_total what)
{
	static const struct exporter_totals none;
	struct exporter_totals *of = bpf_map_lookup_elem(&contexts, &ctx);

	if (!of) {
		/* Another CPU may be adding it, too. */
		bpf_map_update_elem(&contexts, &ctx, &none, BPF_NOEXIST);
		of = bpf_map_lookup_elem(&contexts, &ctx);
	}
	if (of)
		of->count[what]++;
	else
		__sync_fetch_and_add(&lost, 1);
}

static struct exporter_counts *mine(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counts, &zero);
}

static int take(enum operation op, __s32 ret, __u64 ns, __u64 lock_ns)
{
	struct exporter_counts *here = mine();
	__u64 bound = EXPORTER_FIRST_NS;
	__u32 bucket;

	/*
	 * Without a duration, the request began before the tracepoint was
	 * enabled.
	 */
	if (!here || ret || !ns)
		return 0;
	for (bucket = 0; bucket < EXPORTER_BUCKETS - 1; bucket++) {
		if (ns <= bound)
			break;
		bound *= 2;
	}
	here->requests[op].count[bucket]++;
	here->requests[op].sum_ns += ns;
	here->requests[op].lock_ns += lock_ns;
	return 0;
}

SEC("tp/iommufd/iommufd_ioas_map")
int exporter_map(struct trace_event_raw_iommufd_ioas_map *event)
{
	if (!event->ret)
		count(event->ctx, EXPORTER_MAPS);
	return take(OP_MAP, event->ret, event->ns, event->lock_ns);
}

SEC("tp/iommufd/iommufd_ioas_unmap")
int exporter_unmap(struct trace_event_raw_iommufd_ioas_unmap *event)
{
	if (event->unmapped)
		count(event->ctx, EXPORTER_UNMAPS);
	return take(OP_UNMAP, event->ret, event->ns, event->lock_ns);
}

SEC("tp/iommufd/iommufd_hwpt_invalidate")
int exporter_invalidate(struct trace_event_raw_iommufd_hwpt_invalidate *event)
{
	if (!event->ret || event->handled)
		count(event->ctx, EXPORTER_INVALIDATIONS);
	return 0;
}

/* The number is not used again. */
SEC("tp/iommufd/iommufd_ctx_close")
int exporter_close(struct trace_event_raw_iommufd_ctx *event)
{
	__u32 ctx = event->ctx;

	bpf_map_delete_elem(&contexts, &ctx);
	return 0;
}

SEC("tp/iommufd/iommufd_fail")
int exporter_fail(struct trace_event_raw_iommufd_fail *event)
{
	struct exporter_counts *here = mine();
	struct exporter_key key = { event->ctx, event->reason };
	char policy[EXPORTER_POLICY_LEN] = {};
	__u32 reason = event->reason;

	if (!here || is_sizing(event->command, event->ret, event->first))
		return 0;
	/* Keep the bounds check for the verifier. */
	barrier_var(reason);
	if (reason >= EXPORTER_REASONS)
		reason = EXPORTER_REASONS - 1;
	here->failures[reason]++;
	count_in(&failures, &key);
	bpf_core_read(policy, sizeof(policy), &event->policy);
	if (*policy)
		count_in(&policies, policy);
	return 0;
}

static struct exporter_device *device_of(__u32 ctx, __u32 id)
{
	static const struct exporter_device none;
	struct exporter_key key = { ctx, id };
	struct exporter_device *device = bpf_map_lookup_elem(&devices, &key);

	if (device)
		return device;
	bpf_map_update_elem(&devices, &key, &none, BPF_NOEXIST);
	device = bpf_map_lookup_elem(&devices, &key);
	if (!device)
		__sync_fetch_and_add(&lost, 1);
	return device;
}

SEC("tp/iommufd/iommufd_fault_report")
int exporter_fault(struct trace_event_raw_iommufd_fault_report *event)
{
	struct exporter_counts *here = mine();
	struct exporter_device *device;
	__u32 faults = event->faults;

	if (here)
		here->page_faults += faults;
	device = device_of(event->ctx, event->device);
	if (device)
		__sync_fetch_and_add(&device->faults, faults);
	return 0;
}

SEC("tp/iommufd/iommufd_device_bind")
int exporter_bind(struct trace_event_raw_iommufd_device_bound *event)
{
	struct exporter_key key = { event->ctx, event->id };
	struct exporter_device new = { .group = event->group };

	if (event->ret)
		return 0;
	bpf_core_read(new.name, sizeof(new.name), &event->device);
	/* An id may be used again. */
	if (bpf_map_update_elem(&devices, &key, &new, BPF_ANY))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}

SEC("tp/iommufd/iommufd_device_unbind")
int exporter_unbind(struct trace_event_raw_iommufd_device_bound *event)
{
	struct exporter_key key = { event->ctx, event->id };

	bpf_map_delete_elem(&devices, &key);
	return 0;
}
