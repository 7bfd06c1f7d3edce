// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends each failure, and the subject of the failed request from the request's
 * other event, because iommufd_fail has no room for it. Records that do not fit
 * the ring buffer count in `lost`.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_why.h"
#include "task.h"

char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_pgoff;
	struct file *vm_file;
};

#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} records SEC(".maps");

/* Only failures of this process, or all if it is 0. */
const volatile __u32 only_tgid;
/* Only failures of descendants of this process, or all if it is 0. */
const volatile __u32 ancestor;
/* Only failures for these reasons, or all if it is empty: a bit for each. */
const volatile __u64 only_reasons[4];
/* Page size of the machine. */
const volatile __u32 page_shift = 12;

/* Failures that did not fit. */
__u64 lost;

static bool is_wanted(void)
{
	return task_is_wanted(only_tgid, ancestor);
}

static bool is_reason_wanted(__u32 reason)
{
	bool any = false;
	int i;

	for (i = 0; i < 4; i++) {
		if (!only_reasons[i])
			continue;
		any = true;
		if (reason / 64 == i && only_reasons[i] >> reason % 64 & 1)
			return true;
	}
	return !any;
}

static long name_file(struct task_struct *task, struct vm_area_struct *vma,
		      struct why_fail *record)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);

	if (!file)
		return 0;
	record->offset = record->first - BPF_CORE_READ(vma, vm_start) +
			 (BPF_CORE_READ(vma, vm_pgoff) << page_shift);
	bpf_probe_read_kernel_str(record->file, sizeof(record->file),
				  BPF_CORE_READ(file, f_path.dentry,
						d_name.name));
	return 0;
}

SEC("tp/iommufd/iommufd_fail")
int fail(struct trace_event_raw_iommufd_fail *event)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct why_fail record = { .kind = WHY_FAIL };

	if (!is_reason_wanted(event->reason) || !is_wanted())
		return 0;
	record.tid = bpf_get_current_pid_tgid();
	record.tgid = bpf_get_current_pid_tgid() >> 32;
	record.uid = bpf_get_current_uid_gid();
	record.ctx = event->ctx;
	record.ret = event->ret;
	record.command = event->command;
	record.reason = event->reason;
	record.first = event->first;
	record.second = event->second;
	bpf_core_read(record.policy, sizeof(record.policy), &event->policy);
	task_comm(record.comm);
	/* Do it now: the process may be gone when the record is read. */
	bpf_find_vma(task, record.first, name_file, &record, 0);
	/* The record of the subject did not wake the reader, so this must. */
	if (bpf_ringbuf_output(&records, &record, sizeof(record),
			       BPF_RB_FORCE_WAKEUP))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}

/* If the subject does not fit, the failure is still reported. */
static struct why_subject *begin(__u32 kind, __u32 ctx, __s32 ret)
{
	struct why_subject *record;

	if (!ret || !is_wanted())
		return NULL;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return NULL;
	__builtin_memset(record, 0, sizeof(*record));
	record->kind = kind;
	record->tid = bpf_get_current_pid_tgid();
	record->ctx = ctx;
	record->ret = ret;
	return record;
}

/* The subject of a request that has a range of an IOAS. */
static int range(struct why_subject *record, __u32 ioas, __u64 iova,
		 __u64 length)
{
	if (!record)
		return 0;
	record->ioas = ioas;
	record->iova = iova;
	record->length = length;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp/iommufd/iommufd_ioas_map")
int ioas_map(struct trace_event_raw_iommufd_ioas_map *event)
{
	return range(begin(WHY_MAP, event->ctx, event->ret), event->ioas,
		     event->iova, event->length);
}

SEC("tp/iommufd/iommufd_ioas_unmap")
int ioas_unmap(struct trace_event_raw_iommufd_ioas_unmap *event)
{
	return range(begin(WHY_UNMAP, event->ctx, event->ret), event->ioas,
		     event->iova, event->length);
}

SEC("tp/iommufd/iommufd_hwpt_alloc")
int hwpt_alloc(struct trace_event_raw_iommufd_hwpt_alloc *event)
{
	struct why_subject *record = begin(WHY_HWPT, event->ctx, event->ret);

	if (!record)
		return 0;
	record->ioas = event->parent;
	record->device = event->device;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp/iommufd/iommufd_device_bind")
int device_bind(struct trace_event_raw_iommufd_device_bound *event)
{
	struct why_subject *record = begin(WHY_DEVICE, event->ctx, event->ret);

	if (!record)
		return 0;
	bpf_core_read(record->name, sizeof(record->name), &event->device);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

static int device_moves(struct trace_event_raw_iommufd_device_attached *event)
{
	struct why_subject *record = begin(WHY_DEVICE, event->ctx, event->ret);

	if (!record)
		return 0;
	record->ioas = event->target;
	record->device = event->id;
	bpf_core_read(record->name, sizeof(record->name), &event->device);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp/iommufd/iommufd_device_attach")
int device_attach(struct trace_event_raw_iommufd_device_attached *event)
{
	return device_moves(event);
}

SEC("tp/iommufd/iommufd_device_replace")
int device_replace(struct trace_event_raw_iommufd_device_attached *event)
{
	return device_moves(event);
}
