// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms of the durations of maps and unmaps and of their parts. Single
 * requests are only sent if they are slower than a given limit.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_maplat.h"

#define ROW	 struct maplat_row
#define ROW_KEY	 struct maplat_key
#define MAX_ROWS MAPLAT_MAX_ROWS
#include "rows.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 by;
/* 0: all processes. */
const volatile __u32 only_tgid;
/* Send single requests that take at least this long, instead of counting. */
const volatile bool one_by_one;
const volatile __u64 slower_ns;

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

static struct maplat_key key_of(const struct maplat_call *call)
{
	struct maplat_key key = { .op = call->op };

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
	return key;
}

static int take(struct maplat_call *call)
{
	struct maplat_row *row;
	struct maplat_key key;
	int part;

	call->tgid = bpf_get_current_pid_tgid() >> 32;
	if (only_tgid && call->tgid != only_tgid)
		return 0;
	if (one_by_one) {
		send(call);
		return 0;
	}
	key = key_of(call);
	row = row_of(&key);
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
		slots_add(&row->part[part], call->ns[part]);
	return 0;
}

SEC("tp/iommufd/iommufd_ioas_map")
int maplat_map(struct trace_event_raw_iommufd_ioas_map *event)
{
	struct maplat_call call = {
		.op = OP_MAP,
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
		.op = OP_UNMAP,
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
