// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts about pinned pages that the iterators don't list: how much a process
 * may still pin, and how contiguous the memory is that it maps.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_pins.h"

char LICENSE[] SEC("license") = "GPL";

#define RLIMIT_MEMLOCK 8
#define CAP_IPC_LOCK   14

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct user_struct {
	struct {
		long counter;
	} locked_vm;
};

struct user_namespace {
	int level;
};

struct cred {
	struct {
		__u32 val;
	} uid;
	struct {
		__u64 val;
	} cap_effective;
	struct user_struct *user;
	struct user_namespace *user_ns;
};

struct mm_struct {
	unsigned long locked_vm;
};

struct rlimit {
	unsigned long rlim_cur;
};

struct signal_struct {
	struct rlimit rlim[16];
};

struct task_struct___owner {
	struct mm_struct *mm;
	struct cred *real_cred;
	struct signal_struct *signal;
};

#pragma clang attribute pop

/* From Linux 6.2 on. */
struct task_struct *bpf_task_from_pid(int pid) __ksym __weak;
void bpf_task_release(struct task_struct *task) __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PINS_MAX_IOAS);
	__type(key, struct pins_key);
	__type(value, struct pins_mix);
} mixes SEC(".maps");

/* Maps that did not fit. */
__u64 lost;

static struct pins_mix *mix_of(const struct pins_key *key)
{
	static const struct pins_mix empty;
	struct pins_mix *mix;

	mix = bpf_map_lookup_elem(&mixes, key);
	if (mix)
		return mix;
	/* Another CPU may be adding it, too. */
	bpf_map_update_elem(&mixes, key, &empty, BPF_NOEXIST);
	mix = bpf_map_lookup_elem(&mixes, key);
	if (!mix)
		__sync_fetch_and_add(&lost, 1);
	return mix;
}

SEC("tp/iommufd/iommufd_ioas_map")
int pins_map(struct trace_event_raw_iommufd_ioas_map *event)
{
	struct pins_key key = { .ctx = event->ctx, .ioas = event->ioas };
	__u64 length = event->length, runs = event->runs, mean;
	struct pins_mix *mix;

	/* Without a device nothing is pinned, and runs are not known. */
	if (event->ret || !runs)
		return 0;
	mix = mix_of(&key);
	if (!mix)
		return 0;
	mean = length / runs;
	if (mean >= 1ULL << 30)
		mix->bytes[PINS_RUN_1G] += length;
	else if (mean >= 1ULL << 21)
		mix->bytes[PINS_RUN_2M] += length;
	else if (mean >= 1ULL << 16)
		mix->bytes[PINS_RUN_64K] += length;
	else
		mix->bytes[PINS_RUN_SMALL] += length;
	return 0;
}

/* The id may be used again. */
SEC("tp/iommufd/iommufd_object_destroy")
int pins_destroy(struct trace_event_raw_iommufd_object *event)
{
	struct pins_key key = { .ctx = event->ctx, .ioas = event->id };

	bpf_map_delete_elem(&mixes, &key);
	return 0;
}

/* Capabilities in another user namespace do not count. */
static bool may_lock(struct task_struct___owner *task)
{
	__u64 caps = BPF_CORE_READ(task, real_cred, cap_effective.val);

	return caps >> CAP_IPC_LOCK & 1 &&
	       !BPF_CORE_READ(task, real_cred, user_ns, level);
}

SEC("syscall")
int read_owner(struct pins_owner *owner)
{
	struct task_struct___owner *of;
	struct task_struct *task;

	if (!bpf_ksym_exists(bpf_task_from_pid))
		return 0;
	task = bpf_task_from_pid(owner->tgid);
	if (!task)
		return 0;
	of = (void *)task;
	owner->found = 1;
	owner->uid = BPF_CORE_READ(of, real_cred, uid.val);
	owner->unlimited = may_lock(of);
	owner->user_pages =
		BPF_CORE_READ(of, real_cred, user, locked_vm.counter);
	owner->mm_pages = BPF_CORE_READ(of, mm, locked_vm);
	owner->limit = BPF_CORE_READ(of, signal, rlim[RLIMIT_MEMLOCK].rlim_cur);
	bpf_task_release(task);
	return 0;
}
