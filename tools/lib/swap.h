/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts of BPF programs by interval, where each request is in exactly one
 * interval. The programs look up their map in an array of maps; at the end of
 * an interval a new map replaces it.
 */
#ifndef __LIB_SWAP_H
#define __LIB_SWAP_H

#include <stdbool.h>

struct bpf_map;

/**
 * struct swap - a map that is replaced for each interval
 * @outer: the array of maps; the map is its first element
 * @current: the map that the programs write to
 */
struct swap {
	int outer;
	int current;
};

/* @first is the map in @outer. Returns false with errno set on errors. */
bool swap_begin(struct swap *swap, const struct bpf_map *outer,
		const struct bpf_map *first);

/*
 * Replaces the map and returns the old one, which the programs no longer use
 * and the caller closes; -1 with errno set on errors.
 */
int swap_next(struct swap *swap);

void swap_end(struct swap *swap);

#endif
