// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three policies that record every call of every hook in one ring buffer, in
 * order, and answer as configured. All are sleepable, since they read the
 * user's data for the driver.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../../bpf/iommufd_policy.h"
#include "recorder.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECORDERS);
	__type(key, __u32);
	__type(value, struct recorder_settings);
} settings SEC(".maps");

/* Counts calls by policy and hook, whether recorded or not. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECORDERS * 8);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* Calls that did not fit into the ring buffer. */
__u64 lost;

#define LONGEST_STAY_NS (20 * NSEC_PER_SEC)

struct stay {
	__u32 who;
	__u64 end;
};

static long still(__u64 index, void *arg)
{
	struct recorder_settings *set;
	struct stay *stay = arg;
	__u32 who = stay->who;

	set = bpf_map_lookup_elem(&settings, &who);
	return !set || !*(volatile __u32 *)&set->stay ||
	       bpf_ktime_get_ns() > stay->end;
}

static struct recorder_settings *set_of(__u32 who)
{
	return bpf_map_lookup_elem(&settings, &who);
}

/* One loop alone may be too short. */
static long still_more(__u64 index, void *arg)
{
	bpf_loop(1 << 23, still, arg, 0);
	return still(index, arg);
}

static void stay_as_told(__u32 who)
{
	struct recorder_settings *set = set_of(who);
	struct stay stay = { .who = who };

	if (!set || !set->stay)
		return;
	stay.end = bpf_ktime_get_ns() + LONGEST_STAY_NS;
	bpf_loop(1 << 10, still_more, &stay, 0);
}

static void count(__u32 who, __u32 hook)
{
	__u32 index = who * 8 + hook;
	__u64 *calls_of = bpf_map_lookup_elem(&counts, &index);

	if (calls_of)
		__sync_fetch_and_add(calls_of, 1);
}

static struct recorder_call *begin(__u32 who, __u32 hook,
				   const struct iommufd_bpf_caller *caller)
{
	struct recorder_settings *set = set_of(who);
	struct recorder_call *record;

	count(who, hook);
	if (!set || set->quiet)
		return 0;
	record = bpf_ringbuf_reserve(&calls, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__builtin_memset(record, 0, sizeof(*record));
	record->who = who;
	record->hook = hook;
	record->pid = bpf_get_current_pid_tgid();
	record->ctx = caller->ctx;
	record->tgid = caller->tgid;
	record->uid = caller->uid;
	record->cgroup_id = caller->cgroup_id;
	return record;
}

/* Records one call; the user's data was read before. */
static void record_hwpt(__u32 who, __u32 hook, struct iommufd_bpf_hwpt *call,
			__u32 word)
{
	struct recorder_call *record = begin(who, hook, &call->caller);

	if (!record)
		return;
	record->object = call->hwpt;
	record->parent = call->parent;
	record->device = call->device;
	record->kind = call->kind;
	record->automatic = call->automatic;
	record->flags = call->flags;
	record->data_type = call->data_type;
	record->length = call->data_len;
	record->data = call->data;
	record->ret = call->ret;
	record->add_flags = call->add_flags;
	record->max_page_shift = call->max_page_shift;
	record->can_add = call->can_add;
	record->ns = call->ns;
	record->word = word;
	bpf_ringbuf_submit(record, 0);
}

static void record_invalidate(__u32 who, __u32 hook,
			      struct iommufd_bpf_invalidate *call, __u32 word)
{
	struct recorder_call *record = begin(who, hook, &call->caller);

	if (!record)
		return;
	record->object = call->object;
	record->kind = call->kind;
	record->data_type = call->data_type;
	record->length = call->entry_len;
	record->asked = call->asked;
	record->handled = call->handled;
	record->data = call->data;
	record->ret = call->ret;
	record->limit = call->limit;
	record->delay_ns = call->delay_ns;
	record->ns = call->ns;
	record->word = word;
	bpf_ringbuf_submit(record, 0);
}

static __u32 word_at(__u64 address)
{
	__u32 word = 0;

	bpf_copy_from_user(&word, sizeof(word), (void *)address);
	return word;
}

static __s64 alloc(__u32 who, struct iommufd_bpf_hwpt *call)
{
	struct recorder_settings *set = set_of(who);

	record_hwpt(who, HOOK_ALLOC, call,
		    call->data_len ? word_at(call->data) : 0);
	stay_as_told(who);
	if (!set)
		return 0;
	call->add_flags = set->add_flags;
	call->max_page_shift = set->max_page_shift;
	return set->alloc_ret;
}

static __s64 invalidate(__u32 who, struct iommufd_bpf_invalidate *call)
{
	struct recorder_settings *set = set_of(who);

	record_invalidate(who, HOOK_INVALIDATE, call,
			  call->asked ? word_at(call->data) : 0);
	stay_as_told(who);
	if (!set)
		return 0;
	if (set->set_limit)
		call->limit = set->limit;
	if (set->delay_ns)
		call->delay_ns = set->delay_ns;
	return set->invalidate_ret;
}

#define RECORDER(_name, _who)                                            \
	SEC("struct_ops.s/hwpt_alloc")                                   \
	__s64 BPF_PROG(_name##_alloc, struct iommufd_bpf_hwpt *call)     \
	{                                                                \
		return alloc(_who, call);                                \
	}                                                                \
	SEC("struct_ops.s/hwpt_alloc_done")                              \
	void BPF_PROG(_name##_alloc_done, struct iommufd_bpf_hwpt *call) \
	{                                                                \
		record_hwpt(_who, HOOK_ALLOC_DONE, call, 0);             \
	}                                                                \
	SEC("struct_ops.s/hwpt_free")                                    \
	void BPF_PROG(_name##_free, struct iommufd_bpf_hwpt *call)       \
	{                                                                \
		record_hwpt(_who, HOOK_FREE, call, 0);                   \
	}                                                                \
	SEC("struct_ops.s/hwpt_invalidate")                              \
	__s64 BPF_PROG(_name##_invalidate,                               \
		       struct iommufd_bpf_invalidate *call)              \
	{                                                                \
		return invalidate(_who, call);                           \
	}                                                                \
	SEC("struct_ops.s/hwpt_invalidate_done")                         \
	void BPF_PROG(_name##_invalidate_done,                           \
		      struct iommufd_bpf_invalidate *call)               \
	{                                                                \
		record_invalidate(_who, HOOK_INVALIDATE_DONE, call, 0);  \
	}                                                                \
	SEC(".struct_ops.link")                                          \
	struct iommufd_bpf_ops _name = {                                 \
		.hwpt_alloc = (void *)_name##_alloc,                     \
		.hwpt_alloc_done = (void *)_name##_alloc_done,           \
		.hwpt_free = (void *)_name##_free,                       \
		.hwpt_invalidate = (void *)_name##_invalidate,           \
		.hwpt_invalidate_done = (void *)_name##_invalidate_done, \
		.name = #_name,                                          \
	}

RECORDER(first, 0);
RECORDER(second, 1);
RECORDER(third, 2);
