// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms of how long maps and unmaps take and what they spend the time on.
 * Each CPU has its own, so that requests do not meet here. Only those that are
 * slower than asked for are sent one by one.
 *
 * An interval has a map of its own: once user space has put the next one in its
 * place nothing is written to it any more, and it is read whole.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_maplat.h"
#include "task.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 by;
/* 0: all processes. */
const volatile __u32 only_tgid;
/* Send requests one by one that take so long, instead of counting. */
const volatile bool one_by_one;
const volatile __u64 slower_ns;

struct rows {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAPLAT_MAX_ROWS);
	__type(key, struct maplat_key);
	__type(value, struct maplat_row);
} first_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct rows);
} rows SEC(".maps") = {
	.values = { &first_rows },
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} calls SEC(".maps");

/* Requests that found no room in either. */
__u64 lost;

/* The stack is too small for one of these. */
static const struct maplat_row empty_row;

static void lose(void)
{
	__sync_fetch_and_add(&lost, 1);
}

static void send(const struct maplat_call *call)
{
	struct maplat_call *record;

	if (call->ns[MAPLAT_TOTAL] < slower_ns)
		return;
	record = bpf_ringbuf_reserve(&calls, sizeof(*record), 0);
	if (!record) {
		lose();
		return;
	}
	*record = *call;
	record->end_ns = bpf_ktime_get_ns();
	task_comm(record->comm);
	bpf_ringbuf_submit(record, 0);
}

static struct maplat_row *row_of(const struct maplat_call *call)
{
	struct maplat_key key = { .op = call->op };
	struct maplat_row *row;
	__u32 zero = 0;
	void *now;

	switch (by) {
	case MAPLAT_BY_IOAS:
		key.ctx = call->ctx;
		key.id = call->ioas;
		break;
	case MAPLAT_BY_PROCESS:
		key.id = call->tgid;
		break;
	case MAPLAT_BY_SIZE:
		key.id = slot_of(call->bytes);
		break;
	}
	now = bpf_map_lookup_elem(&rows, &zero);
	if (!now)
		return NULL;
	row = bpf_map_lookup_elem(now, &key);
	if (row)
		return row;
	/* Another CPU may be making it too. */
	bpf_map_update_elem(now, &key, &empty_row, BPF_NOEXIST);
	row = bpf_map_lookup_elem(now, &key);
	if (row && by == MAPLAT_BY_PROCESS)
		task_comm(row->comm);
	return row;
}

static void add(struct slots *slots, __u64 ns)
{
	__u32 slot = slot_of(ns);

	/* Keep the check on what indexes: the verifier must see it. */
	barrier_var(slot);
	if (slot < SLOTS)
		slots->count[slot]++;
	slots->sum += ns;
	if (slots->max < ns)
		slots->max = ns;
}

static int take(struct maplat_call *call)
{
	struct maplat_row *row;
	int part;

	call->tgid = bpf_get_current_pid_tgid() >> 32;
	if (only_tgid && call->tgid != only_tgid)
		return 0;
	if (one_by_one) {
		send(call);
		return 0;
	}
	row = row_of(call);
	if (!row) {
		lose();
		return 0;
	}
	if (call->ret) {
		row->failed++;
		return 0;
	}
	row->bytes += call->bytes;
	if (!call->ns[MAPLAT_TOTAL]) {
		row->untimed++;
		return 0;
	}
	for (part = 0; part < MAPLAT_PARTS; part++)
		add(&row->part[part], call->ns[part]);
	return 0;
}

SEC("tp/iommufd/iommufd_ioas_map")
int maplat_map(struct trace_event_raw_iommufd_ioas_map *event)
{
	struct maplat_call call = {
		.op = MAPLAT_MAP,
		.ctx = event->ctx,
		.ioas = event->ioas,
		.iova = event->iova,
		.bytes = event->length,
		.runs = event->runs,
		.pages = event->pinned,
		.ret = event->ret,
		.ns[MAPLAT_TOTAL] = event->ns,
		.ns[MAPLAT_LOCK] = event->lock_ns,
		.ns[MAPLAT_PIN] = event->pin_ns,
		.ns[MAPLAT_IOMMU] = event->map_ns,
	};

	return take(&call);
}

SEC("tp/iommufd/iommufd_ioas_unmap")
int maplat_unmap(struct trace_event_raw_iommufd_ioas_unmap *event)
{
	struct maplat_call call = {
		.op = MAPLAT_UNMAP,
		.ctx = event->ctx,
		.ioas = event->ioas,
		.iova = event->iova,
		.bytes = event->unmapped,
		.runs = event->runs,
		.pages = event->unpinned,
		.ret = event->ret,
		.ns[MAPLAT_TOTAL] = event->ns,
		.ns[MAPLAT_LOCK] = event->lock_ns,
		.ns[MAPLAT_IOMMU] = event->unmap_ns,
		.ns[MAPLAT_SYNC] = event->sync_ns,
		.ns[MAPLAT_UNPIN] = event->unpin_ns,
	};

	return take(&call);
}
