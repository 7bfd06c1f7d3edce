// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls, which can be traced for any iommufd and for VFIO type1:
 * the process, the ioctl, its duration and result, and the size of the memory.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_ioctl.h"
#include "parts.h"
#include "sizing.h"
#include "slots.h"
#include "syscall.h"
#include "vfio_file.h"

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
const volatile bool by_ioas;
/* Some of the programs in parts.h are loaded. */
const volatile bool has_parts;
/* Send single calls instead of counting: those that fail or are slow. */
const volatile bool one_by_one;
const volatile bool only_failed;
const volatile __u64 slower_ns;

/* The device number of /dev/vfio/vfio, as the kernel stores it; 0 for none. */
const volatile __u32 container_number;

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct inode {
	__u32 i_rdev;
};

struct file {
	struct inode *f_inode;
};

#pragma clang attribute pop

/*
 * The call that a thread is in; @command is 0 outside of a call. @room is that
 * of a request for ranges.
 */
struct begun {
	__u64 ns;
	__u64 argument;
	__u32 command;
	__u32 room;
	struct parts parts;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct begun);
} threads SEC(".maps");

/* By the name of the device. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, IOCTL_MAX_DEVICES);
	__type(key, char[IOCTL_NAME_LEN]);
	__type(value, struct ioctl_moves);
} moves SEC(".maps");

static struct parts *parts_of_call(void)
{
	struct begun *begun = bpf_task_storage_get(&threads,
						   bpf_get_current_task_btf(),
						   NULL, 0);

	return begun && begun->command ? &begun->parts : NULL;
}

static bool is_of_iommufd(__u32 command)
{
	return (command >= IOCTL_FIRST && command <= IOCTL_LAST) ||
	       (command >= IOCTL_DEVICE_BIND && command <= IOCTL_DEVICE_DETACH);
}

/* Whether a descriptor of the current task is a container of VFIO. */
static bool is_container(__u64 fd)
{
	struct file *file = container_number ? syscall_file(fd) : NULL;

	return file && BPF_CORE_READ(file, f_inode, i_rdev) == container_number;
}

static bool is_of_type1(__u32 command, __u64 fd)
{
	return (command == IOCTL_TYPE1_MAP || command == IOCTL_TYPE1_UNMAP) &&
	       is_container(fd);
}

static bool is_wanted(__u32 command, __u64 fd)
{
	return (is_of_iommufd(command) || is_of_type1(command, fd)) &&
	       task_is_wanted(only_tgid, ancestor);
}

SEC("tp/syscalls/sys_enter_ioctl")
int ioctl_enter(struct sys_enter_ioctl *event)
{
	__u32 command = event->command;
	struct begun *begun;

	if (!is_wanted(command, event->fd))
		return 0;
	begun = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!begun) {
		lose();
		return 0;
	}
	/* The end of the call before this one was missed. */
	if (begun->command)
		lose();
	begun->command = command;
	begun->argument = event->argument;
	begun->room = 0;
	begun->parts = (struct parts){};
	if (command == SIZING_COMMAND)
		bpf_probe_read_user(&begun->room, sizeof(begun->room),
				    (void *)(event->argument + SIZING_ROOM));
	begun->ns = bpf_ktime_get_ns();
	return 0;
}

/* Where the argument of a call has its values; 0 if it has no such value. */
struct layout {
	__u32 ioas;
	__u32 address;
	__u32 length;
	__u32 iova;
};

static struct layout layout_of(__u32 command)
{
	switch (command) {
	case IOCTL_IOAS_MAP:
		return (struct layout){ 8, 16, 24, 32 };
	case IOCTL_IOAS_MAP_FILE:
		return (struct layout){ 8, 0, 24, 32 };
	case IOCTL_IOAS_COPY:
		return (struct layout){ 8, 0, 16, 24 };
	case IOCTL_IOAS_UNMAP:
		return (struct layout){ 4, 0, 16, 8 };
	case IOCTL_TYPE1_MAP:
		return (struct layout){ 0, 8, 24, 16 };
	case IOCTL_TYPE1_UNMAP:
		return (struct layout){ 0, 0, 16, 8 };
	default:
		return (struct layout){};
	}
}

static void read_value(void *to, __u32 size, const struct begun *begun,
		       __u32 offset)
{
	if (offset)
		bpf_probe_read_user(to, size,
				    (void *)(begun->argument + offset));
}

/*
 * Reads the range that a call is about. The call has ended: the kernel has read
 * the structure, so it is in memory, and has stored the address and the number
 * of unmapped bytes.
 */
static void read_argument(struct ioctl_call *call, const struct begun *begun)
{
	struct layout at = layout_of(begun->command);

	read_value(&call->length, sizeof(call->length), begun, at.length);
	if (one_by_one || by_ioas)
		read_value(&call->ioas, sizeof(call->ioas), begun, at.ioas);
	if (!one_by_one)
		return;
	read_value(&call->iova, sizeof(call->iova), begun, at.iova);
	read_value(&call->address, sizeof(call->address), begun, at.address);
	/* Maps of memory have flags, all at the same place. */
	if (at.address)
		read_value(&call->flags, sizeof(call->flags), begun, 4);
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
		.ioas = by_ioas ? call->ioas : 0,
	};
	struct ioctl_row *row = row_of(&key);
	__u32 bucket = hist_bucket(call->ns);
	int part;

	if (!row) {
		lose();
		return;
	}
	row->uid = call->uid;
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
	for (part = 0; has_parts && part < IOCTL_PARTS; part++)
		slots_add(&row->part[part], call->part_ns[part]);
}

/* VFIO serializes these requests of a device. */
static void count_move(const struct ioctl_call *call, __u64 fd)
{
	struct file *file = syscall_file(fd);
	static const struct ioctl_moves none;
	char name[IOCTL_NAME_LEN] = {};
	struct ioctl_moves *of;

	if (file)
		vfio_device_name(file, name);
	if (!name[0])
		return;
	of = bpf_map_lookup_elem(&moves, name);
	if (!of) {
		bpf_map_update_elem(&moves, name, &none, BPF_NOEXIST);
		of = bpf_map_lookup_elem(&moves, name);
	}
	if (!of) {
		lose();
		return;
	}
	if (call->ret < 0) {
		__sync_fetch_and_add(&of->failed, 1);
		return;
	}
	__sync_fetch_and_add(&of->count, 1);
	of->last_ns = call->ns;
	if (of->max_ns < call->ns)
		of->max_ns = call->ns;
}

/*
 * The kernel skips programs at such events while another one, of anyone, runs
 * on the CPU. It counts that, but not whose calls these are: for most of them
 * the event at the other end of the call tells.
 */
SEC("tp/syscalls/sys_exit_ioctl")
int ioctl_exit(struct sys_exit_ioctl *event)
{
	__u32 command = syscall_command();
	struct ioctl_call call = { .end_ns = bpf_ktime_get_ns() };
	struct begun *begun;
	bool is_torn;

	begun = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				     0);
	/* A thread seen for the first time was in the call at the start. */
	if (!begun)
		return 0;
	if (begun->command != command) {
		if (is_wanted(command, syscall_fd()))
			lose();
		return 0;
	}
	if (!command)
		return 0;
	call.ns = call.end_ns - begun->ns;
	read_argument(&call, begun);
	__builtin_memcpy(call.part_ns, begun->parts.ns, sizeof(call.part_ns));
	is_torn = begun->parts.is_torn || begun->parts.depth;
	call.tgid = bpf_get_current_pid_tgid() >> 32;
	call.tid = bpf_get_current_pid_tgid();
	call.uid = bpf_get_current_uid_gid();
	call.command = begun->command;
	call.ret = event->ret;
	if (is_sizing(call.command, call.ret, begun->room))
		call.ret = 0;
	begun->command = 0;
	if (is_torn) {
		lose();
		return 0;
	}
	if (one_by_one) {
		send(&call);
		return 0;
	}
	count(&call);
	if (command == IOCTL_DEVICE_ATTACH)
		count_move(&call, syscall_fd());
	return 0;
}
