// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts about pinned pages that the iterators don't list: how much a process
 * may still pin, and with which page sizes an IOMMU can map what it has pinned.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_iter.h"
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

/* Returns 0, PINS_NOT_KNOWN or a negative errno. */
SEC("syscall")
int read_sizes(struct pins_sizes *sizes)
{
	if (!bpf_ksym_exists(bpf_iommufd_count_sizes))
		return PINS_NOT_KNOWN;
	return bpf_iommufd_count_sizes(sizes->ctx, sizes->ioas, sizes->pages,
				       sizeof(sizes->pages));
}
