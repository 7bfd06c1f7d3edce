/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A copy of a kernel map: its current state, and its state when the interval
 * began. A row is removed from the kernel only when it can't change any more,
 * so that no count is lost.
 */
#ifndef __MIRROR_H
#define __MIRROR_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "../lib/hash.h"

/**
 * struct mirror_row - a row of the map
 * @key: its key in the map
 * @quiet: the last two readings were equal
 * @gone: it is no longer in the map
 * @now: the last reading
 * @base: its value when the interval began
 * @next: next row that is gone
 */
struct mirror_row {
	struct hash_link link;
	__u32 key[2];
	bool quiet;
	bool gone;
	void *now;
	void *base;
	struct mirror_row *next;
};

/**
 * struct mirror - all rows
 * @map: file descriptor of the map; its keys have at most 8 bytes
 * @places: where rows may be instead of in the map, or NULL
 * @rows: rows in the map, by key
 * @gone: rows that were removed in this interval
 * @nr: number of all rows
 * @buffer: room for a value
 */
struct mirror {
	int map;
	struct top_place *places;
	size_t size;
	struct hash rows;
	struct mirror_row *gone;
	size_t nr;
	void *buffer;
};

struct bpf_map;
struct top_place;

void mirror_open(struct mirror *mirror, const struct bpf_map *map,
		 struct top_place *places);
void mirror_close(struct mirror *mirror);

/* Reads all rows. Returns 0 or a negative errno. */
int mirror_read(struct mirror *mirror);

/* Removes the rows from the kernel's map for which @over returns true. */
void mirror_retire(struct mirror *mirror,
		   bool (*over)(const struct mirror_row *row, void *data),
		   void *data);

/* Calls @call for each row, removed ones last. */
void mirror_each(struct mirror *mirror,
		 void (*call)(const struct mirror_row *row, void *data),
		 void *data);

/*
 * Starts an interval and frees removed rows, after calling @gone for each of
 * them if it is set.
 */
void mirror_advance(struct mirror *mirror,
		    void (*gone)(const struct mirror_row *row, void *data),
		    void *data);

#endif
