/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A map of the kernel as it was when last read, and as it was when the interval
 * began. A row is removed from the kernel only when it can't change any more, so
 * that no count gets lost.
 */
#ifndef __MIRROR_H
#define __MIRROR_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MIRROR_BUCKETS 1024

/**
 * struct mirror_row - a row of the map
 * @next: next in its bucket, or of those that are gone
 * @key: its key there
 * @quiet: the last two readings were the same
 * @gone: it is no longer in the map
 * @now: as it was when last read
 * @base: as it was when the interval began
 */
struct mirror_row {
	struct mirror_row *next;
	__u32 key[2];
	bool quiet;
	bool gone;
	void *now;
	void *base;
};

/**
 * struct mirror - all rows
 * @map: file descriptor of the map; its keys have at most 8 bytes
 * @rows: those in it, by key
 * @gone: those that left it in this interval
 * @nr: number of both
 */
struct mirror {
	int map;
	size_t key_size;
	size_t size;
	struct mirror_row *rows[MIRROR_BUCKETS];
	struct mirror_row *gone;
	size_t nr;
	void *buffer;
};

struct bpf_map;

void mirror_open(struct mirror *mirror, const struct bpf_map *map);
void mirror_close(struct mirror *mirror);

/* Reads all there is. 0 or a negative errno. */
int mirror_read(struct mirror *mirror);

/* Takes those rows out of the kernel's map of which @over says so. */
void mirror_retire(struct mirror *mirror,
		   bool (*over)(const struct mirror_row *row, void *data),
		   void *data);

/* Calls @call for each row, those that are gone last. */
void mirror_each(struct mirror *mirror,
		 void (*call)(const struct mirror_row *row, void *data),
		 void *data);

/* Begins an interval, and forgets what is gone, of which @gone is told if set. */
void mirror_advance(struct mirror *mirror,
		    void (*gone)(const struct mirror_row *row, void *data),
		    void *data);

#endif
