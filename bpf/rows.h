/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts the requests of an interval, or sends single ones. Before including
 * this, a program defines the row:
 *
 *	#define ROW	 struct its_row    counters, and comm of the process
 *	#define ROW_KEY	 struct its_key    key of a row
 *	#define MAX_ROWS 8192
 *
 * Rows are per CPU, so that CPUs don't contend for them. Each interval has its
 * own map: once user space (tools/lib/swap.h) has replaced the map, nothing is
 * written to it any more, and it is read as a whole.
 */
#ifndef __IOMMUFD_ROWS_H
#define __IOMMUFD_ROWS_H

#include <bpf/bpf_helpers.h>
#include "task.h"

struct rows {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_ROWS);
	__type(key, ROW_KEY);
	__type(value, ROW);
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

/* Requests that did not fit in either. */
__u64 lost;

/* Too large for the stack. */
static const ROW empty_row;

static void lose(void)
{
	__sync_fetch_and_add(&lost, 1);
}

/* The row for @key, added if missing; NULL if the map is full. */
static ROW *row_of(const ROW_KEY *key)
{
	__u32 zero = 0;
	void *now;
	ROW *row;

	now = bpf_map_lookup_elem(&rows, &zero);
	if (!now)
		return NULL;
	row = bpf_map_lookup_elem(now, key);
	if (row)
		return row;
	/* Another CPU may be adding it, too. */
	bpf_map_update_elem(now, key, &empty_row, BPF_NOEXIST);
	row = bpf_map_lookup_elem(now, key);
	if (row)
		task_comm(row->comm);
	return row;
}

#endif
