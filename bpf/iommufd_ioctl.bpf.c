// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls, which can be traced for any iommufd, including the stock one:
 * the process, the ioctl, its duration and result, and the size of the memory.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_ioctl.h"
#include "slots.h"

#define ROW	 struct ioctl_row
#define ROW_KEY	 struct ioctl_key
#define MAX_ROWS IOCTL_MAX_ROWS
#include "rows.h"

char LICENSE[] SEC("license") = "GPL";

/* Only this process, or all if it is 0. */
const volatile __u32 only_tgid;
/* Only descendants of this process, or all if it is 0. */
const volatile __u32 ancestor;
const volatile bool by_size;
/* Send single calls instead of counting: those that fail or are slow. */
const volatile bool one_by_one;
const volatile bool only_failed;
const volatile __u64 slower_ns;

/* As in the format files of the events in tracefs. */
struct sys_enter_ioctl {
	__u64 common;
	__u64 number;
	__u64 fd;
	__u64 command;
	__u64 argument;
};

struct sys_exit_ioctl {
	__u64 common;
	__u64 number;
	__s64 ret;
};

/* The call that a thread is in; @command is 0 outside of a call. */
struct begun {
	__u64 ns;
	__u64 argument;
	__u32 command;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct begun);
} threads SEC(".maps");

static bool is_of_iommufd(__u32 command)
{
	return (command >= IOCTL_FIRST && command <= IOCTL_LAST) ||
	       (command >= IOCTL_DEVICE_BIND && command <= IOCTL_DEVICE_DETACH);
}

SEC("tp/syscalls/sys_enter_ioctl")
int ioctl_enter(struct sys_enter_ioctl *event)
{
	__u32 command = event->command;
	struct begun *begun;

	if (!is_of_iommufd(command) || !task_is_wanted(only_tgid, ancestor))
		return 0;
	begun = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!begun) {
		lose();
		return 0;
	}
	begun->command = command;
	begun->argument = event->argument;
	begun->ns = bpf_ktime_get_ns();
	return 0;
}

/*
 * The number of bytes that a call is about. The call has ended: the kernel has
 * read the structure, so it is in memory, and has stored the number of unmapped
 * bytes.
 */
static __u64 read_length(const struct begun *begun)
{
	__u64 length = 0;
	__u32 offset;

	switch (begun->command) {
	case IOCTL_IOAS_MAP:
	case IOCTL_IOAS_MAP_FILE:
		offset = 24;
		break;
	case IOCTL_IOAS_COPY:
	case IOCTL_IOAS_UNMAP:
		offset = 16;
		break;
	default:
		return 0;
	}
	if (bpf_probe_read_user(&length, sizeof(length),
				(void *)(begun->argument + offset)))
		return 0;
	return length;
}

static void send(const struct ioctl_call *call)
{
	struct ioctl_call *record;

	if (call->ns < slower_ns || (only_failed && call->ret >= 0))
		return;
	record = bpf_ringbuf_reserve(&calls, sizeof(*record), 0);
	if (!record) {
		lose();
		return;
	}
	*record = *call;
	task_comm(record->comm);
	bpf_ringbuf_submit(record, 0);
}

static void count(const struct ioctl_call *call)
{
	struct ioctl_key key = {
		.tgid = call->tgid,
		.command = call->command,
		.error = call->ret < 0 ? -call->ret : 0,
		.size = by_size ? slot_of(call->length) : 0,
	};
	struct ioctl_row *row = row_of(&key);
	__u32 bucket = hist_bucket(call->ns);

	if (!row) {
		lose();
		return;
	}
	row->calls++;
	if (call->ret >= 0)
		row->bytes += call->length;
	row->ns += call->ns;
	if (row->max_ns < call->ns)
		row->max_ns = call->ns;
	/* Keep the bounds check for the verifier. */
	barrier_var(bucket);
	if (bucket < HIST_BUCKETS)
		row->hist[bucket]++;
}

SEC("tp/syscalls/sys_exit_ioctl")
int ioctl_exit(struct sys_exit_ioctl *event)
{
	struct ioctl_call call = { .end_ns = bpf_ktime_get_ns() };
	struct begun *begun;

	begun = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				     0);
	if (!begun || !begun->command)
		return 0;
	call.ns = call.end_ns - begun->ns;
	call.length = read_length(begun);
	call.tgid = bpf_get_current_pid_tgid() >> 32;
	call.tid = bpf_get_current_pid_tgid();
	call.uid = bpf_get_current_uid_gid();
	call.command = begun->command;
	call.ret = event->ret;
	begun->command = 0;
	if (one_by_one)
		send(&call);
	else
		count(&call);
	return 0;
}
