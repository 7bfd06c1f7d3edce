/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of iommufd_top.bpf.c for page tables, vIOMMUs and devices. Page
 * faults are reported in any context, so nothing here may sleep.
 */
#ifndef __IOMMUFD_TOP_OBJECTS_H
#define __IOMMUFD_TOP_OBJECTS_H

#include "iommufd_top_count.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_ROWS);
	__type(key, struct top_key);
	__type(value, struct top_table);
} tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_ROWS);
	__type(key, struct top_key);
	__type(value, struct top_device);
} devices SEC(".maps");

/* A group of page faults that waits for a response: by queue and cookie. */
struct group_key {
	__u32 ctx;
	__u32 queue;
	__u32 cookie;
};

/* The id of the device that reported the group. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_ROWS);
	__type(key, struct group_key);
	__type(value, __u32);
} groups SEC(".maps");

static const struct top_table empty_table;
static const struct top_device empty_device;

static struct top_table *get_table(__u32 ctx, __u32 id, bool creation)
{
	struct top_key key = { .ctx = ctx, .id = id };

	return bpf_map_lookup_elem(&tables, &key) ?:
		       top_make_row(&tables, &key, &empty_table, creation);
}

static struct top_device *get_device(__u32 ctx, __u32 id, bool creation)
{
	struct top_key key = { .ctx = ctx, .id = id };

	return bpf_map_lookup_elem(&devices, &key) ?:
		       top_make_row(&devices, &key, &empty_device, creation);
}

SEC("tp/iommufd/iommufd_hwpt_alloc")
int top_hwpt_alloc(struct trace_event_raw_iommufd_hwpt_alloc *event)
{
	struct top_table *table;

	if (event->ret)
		return 0;
	table = get_table(event->ctx, event->hwpt, true);
	if (!table)
		return 0;
	table->life.type = event->kind;
	table->parent = event->parent;
	table->automatic = event->automatic;
	table->flags = event->flags;
	return 0;
}

SEC("tp/iommufd/iommufd_hwpt_invalidate")
int top_invalidate(struct trace_event_raw_iommufd_hwpt_invalidate *event)
{
	struct top_table *table = get_table(event->ctx, event->object, false);

	if (!table)
		return 0;
	__sync_fetch_and_add(&table->op[TABLE_OP(OP_INVALIDATE)].amount,
			     event->handled);
	top_count_op(&table->op[TABLE_OP(OP_INVALIDATE)], event->ret,
		     event->ns);
	return 0;
}

SEC("tp/iommufd/iommufd_dirty_read")
int top_dirty(struct trace_event_raw_iommufd_dirty_read *event)
{
	struct top_table *table = get_table(event->ctx, event->hwpt, false);

	if (!table)
		return 0;
	if (!event->ret)
		__sync_fetch_and_add(&table->op[TABLE_OP(OP_DIRTY)].amount,
				     event->dirty * event->page_size);
	top_count_op(&table->op[TABLE_OP(OP_DIRTY)], event->ret, event->ns);
	return 0;
}

static struct top_device *
get_moved(struct trace_event_raw_iommufd_device_attached *event)
{
	struct top_device *device = get_device(event->ctx, event->id, false);

	if (device && !device->name[0]) {
		device->group = event->group;
		bpf_core_read(device->name, sizeof(device->name),
			      &event->device);
	}
	return device;
}

/* The device was attached, or its page table was @replaced. */
static int move(struct trace_event_raw_iommufd_device_attached *event,
		bool replaced)
{
	struct top_device *device = get_moved(event);
	__u64 ns = event->ns;

	if (!device)
		return 0;
	if (event->ret) {
		__sync_fetch_and_add(&device->failed, 1);
		return 0;
	}
	if (!replaced)
		__sync_fetch_and_add(&device->attached, 1);
	__sync_fetch_and_add(&device->moves, 1);
	device->last_ns = ns;
	top_set_max(&device->max_ns, ns);
	if (!event->pasid) {
		device->hwpt = event->hwpt;
		device->moved_ns = bpf_ktime_get_ns();
	}
	return 0;
}

SEC("tp/iommufd/iommufd_device_attach")
int top_attach(struct trace_event_raw_iommufd_device_attached *event)
{
	return move(event, false);
}

SEC("tp/iommufd/iommufd_device_replace")
int top_replace(struct trace_event_raw_iommufd_device_attached *event)
{
	return move(event, true);
}

SEC("tp/iommufd/iommufd_device_detach")
int top_detach(struct trace_event_raw_iommufd_device_attached *event)
{
	struct top_device *device = get_moved(event);

	if (!device)
		return 0;
	__sync_fetch_and_add(&device->attached, -1);
	if (!event->pasid)
		device->hwpt = 0;
	return 0;
}

SEC("tp/iommufd/iommufd_fault_report")
int top_fault_report(struct trace_event_raw_iommufd_fault_report *event)
{
	struct group_key key = {
		.ctx = event->ctx,
		.queue = event->fault,
		.cookie = event->cookie,
	};
	struct top_device *device;
	__u32 id = event->device;

	device = get_device(event->ctx, id, false);
	if (!device)
		return 0;
	__sync_fetch_and_add(&device->faults, event->faults);
	if (event->ret)
		return 0;
	if (bpf_map_update_elem(&groups, &key, &id, BPF_ANY))
		top_lose();
	else
		__sync_fetch_and_add(&device->waiting, 1);
	return 0;
}

static int end_group(struct trace_event_raw_iommufd_fault_answered *event)
{
	struct group_key key = {
		.ctx = event->ctx,
		.queue = event->fault,
		.cookie = event->cookie,
	};
	struct top_device *device;
	__u32 *id;

	/* No entry if the group was reported before the start. */
	id = bpf_map_lookup_elem(&groups, &key);
	if (!id)
		return 0;
	device = get_device(event->ctx, *id, false);
	if (!bpf_map_delete_elem(&groups, &key) && device)
		__sync_fetch_and_add(&device->waiting, -1);
	return 0;
}

SEC("tp/iommufd/iommufd_fault_respond")
int top_fault_respond(struct trace_event_raw_iommufd_fault_answered *event)
{
	return end_group(event);
}

SEC("tp/iommufd/iommufd_fault_abort")
int top_fault_abort(struct trace_event_raw_iommufd_fault_answered *event)
{
	return end_group(event);
}

#endif
