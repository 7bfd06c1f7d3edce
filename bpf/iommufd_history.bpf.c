// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remembers the last unmaps, and which devices were attached and detached:
 * from the events of iommufd-bpf, or, for any other iommufd and VFIO type1,
 * unmaps from system calls. User space reads the rings in memory.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_history.h"
#include "iommufd_ioctl.h"
#include "syscall.h"

char LICENSE[] SEC("license") = "GPL";

/* User space sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct history_unmap);
} unmaps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HISTORY_ATTACHES);
	__type(key, __u32);
	__type(value, struct history_attach);
} attaches SEC(".maps");

/* The size of the map of unmaps. */
const volatile __u32 size = 1;
/*
 * The device numbers of /dev/vfio/vfio and /dev/iommu, either of which can be a
 * container of VFIO; 0 for none.
 */
const volatile __u32 container_number;
const volatile __u32 iommu_number;

/* The numbers of the last entries. */
__u64 nr_unmaps;
__u64 nr_attaches;

/* The entry is complete. A full barrier, so that readers see the rest. */
static void publish(__u64 *to, __u64 number)
{
	__sync_lock_test_and_set(to, number);
}

static struct history_unmap *begin_unmap(__u64 *number)
{
	struct history_unmap *unmap;
	__u32 key;

	*number = __sync_fetch_and_add(&nr_unmaps, 1) + 1;
	key = (*number - 1) % size;
	unmap = bpf_map_lookup_elem(&unmaps, &key);
	if (!unmap)
		return NULL;
	publish(&unmap->number, 0);
	unmap->time_ns = bpf_ktime_get_ns();
	unmap->tgid = bpf_get_current_pid_tgid() >> 32;
	unmap->tid = bpf_get_current_pid_tgid();
	bpf_get_current_comm(unmap->comm, sizeof(unmap->comm));
	return unmap;
}

SEC("tp/iommufd/iommufd_ioas_unmap")
int ioas_unmap(struct trace_event_raw_iommufd_ioas_unmap *event)
{
	struct history_unmap *unmap;
	__u64 number;

	if (!event->unmapped)
		return 0;
	unmap = begin_unmap(&number);
	if (!unmap)
		return 0;
	unmap->ctx = event->ctx;
	unmap->ioas = event->ioas;
	unmap->iova = event->iova;
	unmap->length = event->length;
	unmap->unmapped = event->unmapped;
	publish(&unmap->number, number);
	return 0;
}

static int take_attach(struct trace_event_raw_iommufd_device_attached *event,
		       bool attached)
{
	__u64 number = __sync_fetch_and_add(&nr_attaches, 1) + 1;
	__u32 key = (number - 1) % HISTORY_ATTACHES;
	struct history_attach *attach;

	attach = bpf_map_lookup_elem(&attaches, &key);
	if (!attach)
		return 0;
	publish(&attach->number, 0);
	attach->time_ns = bpf_ktime_get_ns();
	attach->ctx = event->ctx;
	attach->pasid = event->pasid;
	attach->target = event->target;
	attach->hwpt = attached ? event->hwpt : 0;
	attach->tgid = bpf_get_current_pid_tgid() >> 32;
	attach->tid = bpf_get_current_pid_tgid();
	bpf_get_current_comm(attach->comm, sizeof(attach->comm));
	BPF_CORE_READ_INTO(&attach->device, event, device);
	publish(&attach->number, number);
	return 0;
}

SEC("tp/iommufd/iommufd_device_attach")
int device_attach(struct trace_event_raw_iommufd_device_attached *event)
{
	return event->ret ? 0 : take_attach(event, true);
}

SEC("tp/iommufd/iommufd_device_replace")
int device_replace(struct trace_event_raw_iommufd_device_attached *event)
{
	return event->ret ? 0 : take_attach(event, true);
}

SEC("tp/iommufd/iommufd_device_detach")
int device_detach(struct trace_event_raw_iommufd_device_attached *event)
{
	return take_attach(event, false);
}

/* IOMMU_IOAS_UNMAP */
struct iommufd_argument {
	__u32 size;
	__u32 ioas;
	__u64 iova;
	__u64 length;
};

/* VFIO_IOMMU_UNMAP_DMA */
struct type1_argument {
	__u32 size;
	__u32 flags;
	__u64 iova;
	__u64 length;
};

#define TYPE1_UNMAP_ALL 2

/* The unmap request that a thread is in. */
struct running {
	__u64 iova;
	__u64 length;
	__u32 ioas;
	__u32 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct running);
} threads SEC(".maps");

static bool read_iommufd(struct running *running, const void *from)
{
	struct iommufd_argument argument;

	if (bpf_probe_read_user(&argument, sizeof(argument), from))
		return false;
	running->ioas = argument.ioas;
	running->iova = argument.iova;
	running->length = argument.length;
	return true;
}

static bool read_type1(struct running *running, const void *from)
{
	struct type1_argument argument;

	if (bpf_probe_read_user(&argument, sizeof(argument), from))
		return false;
	running->iova = argument.iova;
	running->length = argument.flags & TYPE1_UNMAP_ALL ? ~0ULL :
							     argument.length;
	return true;
}

/* Other files of VFIO have an ioctl with the same number. */
static bool is_container(__u64 fd)
{
	__u32 device = syscall_device(fd);

	return device && (device == container_number || device == iommu_number);
}

SEC("tp/syscalls/sys_enter_ioctl")
int ioctl_enter(struct sys_enter_ioctl *event)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 command = event->command;
	struct running running = {};

	if (!(command == IOCTL_IOAS_UNMAP &&
	      read_iommufd(&running, (void *)event->argument)) &&
	    !(command == IOCTL_TYPE1_UNMAP && is_container(event->fd) &&
	      read_type1(&running, (void *)event->argument)))
		return 0;
	bpf_map_update_elem(&threads, &thread, &running, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_ioctl")
int ioctl_exit(struct sys_exit_ioctl *event)
{
	__u64 thread = bpf_get_current_pid_tgid(), number, unmapped;
	struct history_unmap *unmap;
	struct running *running;

	running = bpf_map_lookup_elem(&threads, &thread);
	if (!running)
		return 0;
	/* In both structures, the kernel has stored the unmapped bytes. */
	if (event->ret ||
	    bpf_probe_read_user(&unmapped, sizeof(unmapped),
				(void *)(syscall_argument() + 16)) ||
	    !unmapped)
		goto end;
	unmap = begin_unmap(&number);
	if (!unmap)
		goto end;
	unmap->ctx = 0;
	unmap->ioas = running->ioas;
	unmap->iova = running->iova;
	unmap->length = running->length;
	unmap->unmapped = unmapped;
	publish(&unmap->number, number);
end:
	bpf_map_delete_elem(&threads, &thread);
	return 0;
}
