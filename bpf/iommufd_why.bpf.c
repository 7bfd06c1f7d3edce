// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends each failure, and the subject of the failed request from the request's
 * other event, because iommufd_fail has no room for it. Records that do not fit
 * the ring buffer count in `lost`.
 *
 * VFIO refuses some requests without asking iommufd, for example to bind a
 * device that is bound already. They are seen as system calls that fail without
 * that event. On a kernel that does not have the event, all of them are, and the
 * other programs are not loaded.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_ioctl.h"
#include "iommufd_why.h"
#include "sizing.h"
#include "syscall.h"
#include "task.h"
#include "vfio_file.h"

char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

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

/* enum iommufd_hwpt_alloc_flags */
#define HWPT_FAULT_ID_VALID 4

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

/* The request to VFIO that a thread is in; @command is 0 outside of one. */
struct begun {
	__u64 argument;
	__u32 command;
	__s32 fd;
	bool told;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct begun);
} threads SEC(".maps");

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

static void set_file(struct file *file, struct why_fail *record)
{
	vfio_file_name(file, record->file);
	if (vfio_is_device(record->file))
		vfio_device_name(file, record->device);
}

static long name_file(struct task_struct *task, struct vm_area_struct *vma,
		      struct why_fail *record)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);

	if (!file)
		return 0;
	record->offset = record->first - BPF_CORE_READ(vma, vm_start) +
			 (BPF_CORE_READ(vma, vm_pgoff) << page_shift);
	set_file(file, record);
	return 0;
}

/* The file of VFIO that the request is for. */
static void name_fd(int fd, struct why_fail *record)
{
	struct file *file = syscall_file((__u32)fd);

	if (file)
		set_file(file, record);
}

static void set_process(struct why_fail *record)
{
	record->tid = bpf_get_current_pid_tgid();
	record->tgid = bpf_get_current_pid_tgid() >> 32;
	record->uid = bpf_get_current_uid_gid();
	task_comm(record->comm);
}

/* The record of the subject did not wake the reader, so this must. */
static void send(struct why_fail *record)
{
	if (bpf_ringbuf_output(&records, record, sizeof(*record),
			       BPF_RB_FORCE_WAKEUP))
		__sync_fetch_and_add(&lost, 1);
}

SEC("tp/iommufd/iommufd_fail")
int fail(struct trace_event_raw_iommufd_fail *event)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct why_fail record = { .kind = WHY_FAIL };
	struct begun *begun;

	begun = bpf_task_storage_get(&threads, task, NULL, 0);
	if (begun)
		begun->told = true;
	if (!is_reason_wanted(event->reason) || !is_wanted() ||
	    is_sizing(event->command, event->ret, event->first))
		return 0;
	set_process(&record);
	record.ctx = event->ctx;
	record.ret = event->ret;
	record.command = event->command;
	record.reason = event->reason;
	record.first = event->first;
	record.second = event->second;
	bpf_core_read(record.policy, sizeof(record.policy), &event->policy);
	/* Do it now: the process may be gone when the record is read. */
	bpf_find_vma(task, record.first, name_file, &record, 0);
	send(&record);
	return 0;
}

/* Their numbers are in no other file of VFIO. */
static bool is_of_vfio(__u32 command)
{
	return (command >= IOCTL_DEVICE_BIND &&
		command <= IOCTL_DEVICE_DETACH) ||
	       command == IOCTL_SET_IOMMU || command == IOCTL_SET_CONTAINER ||
	       command == IOCTL_GROUP_DEVICE;
}

SEC("tp/syscalls/sys_enter_ioctl")
int vfio_enter(struct sys_enter_ioctl *event)
{
	__u32 command = event->command;
	struct begun *begun;

	if (!is_of_vfio(command) || !is_wanted())
		return 0;
	begun = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!begun) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	begun->command = command;
	begun->fd = event->fd;
	begun->argument = event->argument;
	begun->told = false;
	return 0;
}

SEC("tp/syscalls/sys_exit_ioctl")
int vfio_exit(struct sys_exit_ioctl *event)
{
	struct why_fail record = { .kind = WHY_FAIL, .vfio = 1 };
	struct begun *begun;

	begun = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				     0);
	/* The end of that request may have been missed. */
	if (!begun || !begun->command || begun->command != syscall_command())
		return 0;
	record.command = begun->command;
	record.fd = begun->fd;
	record.ret = event->ret;
	begun->command = 0;
	if (record.ret >= 0 || begun->told)
		return 0;
	set_process(&record);
	name_fd(record.fd, &record);
	if (record.command == IOCTL_GROUP_DEVICE)
		bpf_probe_read_user_str(record.device, sizeof(record.device),
					(void *)begun->argument);
	send(&record);
	return 0;
}

/* Files of VFIO: containers, groups and devices. */
static bool is_in_dev_vfio(const char *path)
{
	static const char folder[] = WHY_FOLDER;
	int i;

	for (i = 0; i < (int)sizeof(folder) - 1; i++)
		if (path[i] != folder[i])
			return false;
	return true;
}

SEC("tp/syscalls/sys_exit_openat")
int open_exit(struct sys_exit_ioctl *event)
{
	struct why_fail record = { .kind = WHY_FAIL, .vfio = 1, .fd = -1 };
	char path[sizeof(WHY_FOLDER) - 1 + sizeof(record.file)] = {};

	if (event->ret >= 0 || !is_wanted())
		return 0;
	if (bpf_probe_read_user_str(path, sizeof(path),
				    (void *)syscall_second()) < 0 ||
	    !is_in_dev_vfio(path))
		return 0;
	record.command = WHY_OPEN;
	record.ret = event->ret;
	__builtin_memcpy(record.file, path + sizeof(WHY_FOLDER) - 1,
			 sizeof(record.file));
	set_process(&record);
	send(&record);
	return 0;
}

/* If the subject does not fit, the failure is still reported. */
static struct why_subject *begin(__u32 kind, __u32 ctx, __s32 ret)
{
	struct why_subject *record;

	if ((!ret && kind != WHY_QUEUED) || !is_wanted())
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
	bool queued = !event->ret && event->flags & HWPT_FAULT_ID_VALID;
	struct why_subject *record;

	record = begin(queued ? WHY_QUEUED : WHY_HWPT, event->ctx, event->ret);
	if (!record)
		return 0;
	record->ioas = event->parent;
	record->device = queued ? event->hwpt : event->device;
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
