// SPDX-License-Identifier: GPL-2.0-only
/* Counts failed requests by command and reason. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct trace_event_raw_iommufd_fail {
	__u32 command;
	__u32 reason;
	__s32 ret;
	__u64 first;
	__u64 second;
} __attribute__((preserve_access_index));

struct key {
	__u32 command;
	__u32 reason;
};

struct value {
	__s64 ret;
	__u64 first;
	__u64 second;
	__u64 times;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct key);
	__type(value, struct value);
} failures SEC(".maps");

SEC("tracepoint/iommufd/iommufd_fail")
int count(struct trace_event_raw_iommufd_fail *event)
{
	struct key key = {
		.command = BPF_CORE_READ(event, command),
		.reason = BPF_CORE_READ(event, reason),
	};
	struct value value = {}, *known;

	known = bpf_map_lookup_elem(&failures, &key);
	if (known)
		value.times = known->times;
	value.ret = BPF_CORE_READ(event, ret);
	value.first = BPF_CORE_READ(event, first);
	value.second = BPF_CORE_READ(event, second);
	value.times++;
	bpf_map_update_elem(&failures, &key, &value, BPF_ANY);
	return 0;
}
