// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sums up the events of iommufd in the kernel: one row for each IOAS. Nothing
 * is sent event by event, so a storm of events can't outrun the reader.
 *
 * Every program runs in process context. Rows are shared between CPUs and
 * changed with atomic operations only: requests on one IOAS meet in its locks
 * anyway, and a histogram for each CPU would cost more memory than that saves.
 *
 * A row that doesn't fit is not silently missing: its events count in `lost`.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_top.h"

char LICENSE[] SEC("license") = "GPL";

/* Both maps grow and shrink with what is in use. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_CONTEXTS);
	__type(key, __u32);
	__type(value, struct top_ctx);
} contexts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_ROWS);
	__type(key, struct top_key);
	__type(value, struct top_row);
} rows SEC(".maps");

/* Number of the interval; the reader counts it up. */
volatile __u64 epoch;
/* Events that are in no row. */
__u64 lost;

/* The stack is too small for one of these. */
static const struct top_row empty_row;

/* A context that we did not see being opened was there before us. */
static struct top_ctx *get_ctx(__u32 ctx)
{
	static const struct top_ctx late = { .late = 1 };
	struct top_ctx *found;

	found = bpf_map_lookup_elem(&contexts, &ctx);
	if (found)
		return found;
	bpf_map_update_elem(&contexts, &ctx, &late, BPF_NOEXIST);
	return bpf_map_lookup_elem(&contexts, &ctx);
}

/*
 * The owner is who creates the IOAS, or uses it first, rather than who opened
 * the context: a manager may open /dev/iommu and pass the file on to the VM.
 */
static void set_owner(struct top_row *row)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	row->tgid = bpf_get_current_pid_tgid() >> 32;
	row->uid = bpf_get_current_uid_gid();
	/* The process's name, not the thread's. */
	BPF_CORE_READ_STR_INTO(&row->comm, task, group_leader, comm);
}

/*
 * The row of an IOAS, made when there is none. Without a @creation that has
 * happened already: in a context that was there before us it is alive; in one
 * that we saw being opened it can only have been destroyed, and its row been
 * put away, since.
 */
static struct top_row *get_row(__u32 ctx, __u32 ioas, bool creation)
{
	struct top_key key = { .ctx = ctx, .ioas = ioas };
	struct top_ctx *owner;
	struct top_row *row;
	bool made;

	row = bpf_map_lookup_elem(&rows, &key);
	if (row)
		return row;

	/* Rows leave with their context: none without one. */
	owner = get_ctx(ctx);
	if (!owner)
		goto full;

	/* Another CPU may be making it too: who succeeds fills it in. */
	made = !bpf_map_update_elem(&rows, &key, &empty_row, BPF_NOEXIST);
	row = bpf_map_lookup_elem(&rows, &key);
	if (!row)
		goto full;
	if (made) {
		set_owner(row);
		if (owner->late && !creation) {
			row->late = 1;
			__sync_fetch_and_add(&row->alive, 1);
		}
	}
	return row;
full:
	__sync_fetch_and_add(&lost, 1);
	return NULL;
}

static void set_peak(struct top_op *op, __u64 ns)
{
	__u64 now = epoch & TOP_PEAK_EPOCH_MASK;
	__u64 *peak = &op->peak[now & 1];
	__u64 old, new;
	int tries;

	if (ns > TOP_PEAK_NS_MAX)
		ns = TOP_PEAK_NS_MAX;
	new = now << TOP_PEAK_NS_BITS | ns;
	for (tries = 0; tries < 64; tries++) {
		old = *(volatile __u64 *)peak;
		if (old >> TOP_PEAK_NS_BITS == now && old >= new)
			return;
		if (__sync_val_compare_and_swap(peak, old, new) == old)
			return;
	}
}

static void set_max(__u64 *max, __u64 ns)
{
	__u64 old;
	int tries;

	for (tries = 0; tries < 64; tries++) {
		old = *(volatile __u64 *)max;
		if (old >= ns ||
		    __sync_val_compare_and_swap(max, old, ns) == old)
			return;
	}
}

/* @ns is 0 for a request that began before we listened. */
static void count_op(struct top_op *op, __s32 ret, __u64 ns)
{
	__u32 bucket;

	if (ret) {
		__sync_fetch_and_add(&op->failed, 1);
		return;
	}
	__sync_fetch_and_add(&op->count, 1);
	if (!ns)
		return;
	bucket = hist_bucket(ns);
	/* Keep the check on what indexes: the verifier must see it. */
	barrier_var(bucket);
	if (bucket < HIST_BUCKETS)
		__sync_fetch_and_add(&op->hist[bucket], 1);
	set_peak(op, ns);
	set_max(&op->max_ns, ns);
}

SEC("tp/iommufd/iommufd_ctx_open")
int ctx_open(struct trace_event_raw_iommufd_ctx *event)
{
	struct top_ctx new = {};
	__u32 ctx = event->ctx;

	if (bpf_map_update_elem(&contexts, &ctx, &new, BPF_ANY))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}

SEC("tp/iommufd/iommufd_ctx_close")
int ctx_close(struct trace_event_raw_iommufd_ctx *event)
{
	__u32 ctx = event->ctx;
	struct top_ctx *found;

	found = bpf_map_lookup_elem(&contexts, &ctx);
	if (found)
		found->closed = 1;
	return 0;
}

static int count_object(struct trace_event_raw_iommufd_object *event,
			bool creation)
{
	__u32 ioas =
		bpf_core_enum_value(enum iommufd_object_type, IOMMUFD_OBJ_IOAS);
	struct top_row *row;

	if (event->type != ioas)
		return 0;
	row = get_row(event->ctx, event->id, creation);
	if (!row)
		return 0;
	/* Found by the reader before we were told that it is there. */
	if (!creation || !row->listed)
		__sync_fetch_and_add(&row->alive, creation ? 1 : -1);
	row->listed = 0;
	return 0;
}

SEC("tp/iommufd/iommufd_object_create")
int object_create(struct trace_event_raw_iommufd_object *event)
{
	return count_object(event, true);
}

SEC("tp/iommufd/iommufd_object_destroy")
int object_destroy(struct trace_event_raw_iommufd_object *event)
{
	return count_object(event, false);
}

SEC("tp/iommufd/iommufd_ioas_map")
int ioas_map(struct trace_event_raw_iommufd_ioas_map *event)
{
	struct top_row *row = get_row(event->ctx, event->ioas, false);
	__s32 ret = event->ret;

	if (!row)
		return 0;
	if (!ret) {
		__sync_fetch_and_add(&row->op[TOP_MAP].bytes, event->length);
		__sync_fetch_and_add(&row->pinned, event->pinned);
	}
	count_op(&row->op[TOP_MAP], ret, event->ns);
	return 0;
}

SEC("tp/iommufd/iommufd_ioas_unmap")
int ioas_unmap(struct trace_event_raw_iommufd_ioas_unmap *event)
{
	struct top_row *row = get_row(event->ctx, event->ioas, false);

	if (!row)
		return 0;
	__sync_fetch_and_add(&row->op[TOP_UNMAP].bytes, event->unmapped);
	__sync_fetch_and_add(&row->unpinned, event->unpinned);
	/* What a destroyed IOAS still maps is cleared at nobody's request. */
	if (row->alive > 0)
		count_op(&row->op[TOP_UNMAP], event->ret, event->ns);
	return 0;
}
