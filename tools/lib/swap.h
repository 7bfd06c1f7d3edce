/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Intervals of what BPF programs count, each request in one of them: the
 * programs find the map that they write to in an array of maps, and it is
 * replaced by a new one when an interval is over.
 */
#ifndef __LIB_SWAP_H
#define __LIB_SWAP_H

#include <stdbool.h>

struct bpf_map;

/**
 * struct swap - a map that is replaced
 * @outer: the array of maps, of which it is the first
 * @current: the map that is written to
 */
struct swap {
	int outer;
	int current;
};

/* @first is in @outer. False with errno set if that can't be. */
bool swap_begin(struct swap *swap, const struct bpf_map *outer,
		const struct bpf_map *first);

/*
 * The map that was written to until now and isn't any more, to be closed by the
 * caller; -1 with errno set if there can't be another.
 */
int swap_next(struct swap *swap);

void swap_end(struct swap *swap);

#endif
