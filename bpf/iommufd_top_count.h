/* SPDX-License-Identifier: GPL-2.0-only */
/* Helpers of iommufd-top's programs for counting. */
#ifndef __IOMMUFD_TOP_COUNT_H
#define __IOMMUFD_TOP_COUNT_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_top.h"

/* All maps grow and shrink with their use. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_CONTEXTS);
	__type(key, __u32);
	__type(value, struct top_ctx);
} contexts SEC(".maps");

/* Number of the interval; the reader increments it. */
volatile __u64 epoch;
/* Events that are not counted in any row. */
__u64 lost;

static inline void top_lose(void)
{
	__sync_fetch_and_add(&lost, 1);
}

/* A context whose opening was not seen existed before the start. */
static struct top_ctx *top_get_ctx(__u32 ctx)
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
 * Returns the row for @key in @map. If @map has no such row, adds a copy of
 * @empty. Sets *@made to whether it was added.
 */
static inline void *top_add_row(void *map, const struct top_key *key,
				const void *empty, bool *made)
{
	/*
	 * Another CPU may be adding it, too: the one that succeeds fills it in.
	 */
	*made = !bpf_map_update_elem(map, key, empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, key);
}

/*
 * The life of a new row of a context @owner. Without @creation, the creation
 * was before: in a context that existed before the start, the object is alive;
 * in a context whose opening was seen, it has been destroyed and its row
 * removed since.
 */
static inline void top_begin_life(struct top_life *life,
				  const struct top_ctx *owner, bool creation)
{
	if (owner->late && !creation) {
		life->late = 1;
		__sync_fetch_and_add(&life->alive, 1);
	}
}

/*
 * Adds a row for an object that has none. Rows are removed with their context,
 * so this adds none without a context. Every value in @map begins with a struct
 * top_life.
 */
static inline void *top_make_row(void *map, const struct top_key *key,
				 const void *empty, bool creation)
{
	struct top_ctx *owner = top_get_ctx(key->ctx);
	struct top_life *life = NULL;
	bool made;

	if (owner)
		life = top_add_row(map, key, empty, &made);
	if (!life)
		top_lose();
	else if (made)
		top_begin_life(life, owner, creation);
	return life;
}

static inline void top_count_life(struct top_life *life, bool creation,
				  __u32 type)
{
	life->type = type;
	/* The reader found it before this event arrived. */
	if (!creation || !life->listed)
		__sync_fetch_and_add(&life->alive, creation ? 1 : -1);
	life->listed = 0;
}

static inline void top_set_max(__u64 *max, __u64 ns)
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

/*
 * Raises the longest duration of the interval @now, and that of all. The latter
 * comes first, so that it is never below a peak.
 *
 * The numbers of the intervals of one peak are all even or all odd, so a peak
 * that exceeds the new one by less than one interval is of the same interval.
 */
static __noinline void top_raise(struct top_op *op, __u64 now, __u64 ns)
{
	__u64 *peak = &op->peak[now & 1], new, old;
	int tries;

	if (ns > TOP_PEAK_NS_MAX)
		ns = TOP_PEAK_NS_MAX;
	top_set_max(&op->max_ns, ns);
	new = now << TOP_PEAK_NS_BITS | ns;
	for (tries = 0; tries < 64; tries++) {
		old = *(volatile __u64 *)peak;
		if (old - new <= TOP_PEAK_NS_MAX)
			return;
		if (__sync_val_compare_and_swap(peak, old, new) == old)
			return;
	}
}

/*
 * Few requests are longer than all others of their interval. A duration beyond
 * TOP_PEAK_NS_MAX looks like one of a later interval here.
 */
static __always_inline void top_set_longest(struct top_op *op, __u64 ns)
{
	__u64 now = epoch;
	__u64 peak = *(volatile __u64 *)&op->peak[now & 1];

	if (peak - (now << TOP_PEAK_NS_BITS) - ns > TOP_PEAK_NS_MAX)
		top_raise(op, now, ns);
}

/* @ns is 0 for a request that began before the tracepoint was enabled. */
static __always_inline void top_count_op(struct top_op *op, __s32 ret, __u64 ns)
{
	if (ret) {
		__sync_fetch_and_add(&op->failed, 1);
		return;
	}
	__sync_fetch_and_add(&op->count, 1);
	if (!ns)
		return;
	__sync_fetch_and_add(&op->hist[hist_bucket(ns)], 1);
	top_set_longest(op, ns);
}

#endif
