/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places for rows of IOASes: most requests find their row by an index, because
 * to search the map takes as long as to count.
 *
 * Each IOAS has one place, which it shares with others. Its row is there if the
 * place was free when the row was made, and in the map otherwise. It never
 * moves. A program, or at the start the reader, claims the place for a row by
 * setting its key with compare-and-exchange. As events may count in the row
 * from then on, that of a free place is all zero. Only the reader frees places,
 * once no more events can come, as it removes rows from the map: it clears the
 * row, then the key.
 */
#ifndef __IOMMUFD_TOP_PLACE_H
#define __IOMMUFD_TOP_PLACE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_top.h"

struct top_place places[TOP_PLACES];

/* The row of an IOAS, NULL if it is not in its place. */
static __always_inline struct top_row *place_find(__u32 ctx, __u32 ioas)
{
	struct top_place *place = &places[top_place_index(ctx, ioas)];
	__u64 key = *(volatile __u64 *)&place->key;

	return key == top_place_key(ctx, ioas) ? &place->row : NULL;
}

/*
 * The row of an IOAS in its place, NULL if another one has the place. *@made:
 * whether the row is new.
 */
static inline struct top_row *place_claim(__u32 ctx, __u32 ioas, bool *made)
{
	struct top_place *place = &places[top_place_index(ctx, ioas)];
	__u64 key = top_place_key(ctx, ioas), old;

	old = __sync_val_compare_and_swap(&place->key, 0, key);
	*made = !old;
	return !old || old == key ? &place->row : NULL;
}

#endif
