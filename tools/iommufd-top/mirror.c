// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/tool.h"
#include "mirror.h"

void mirror_open(struct mirror *mirror, const struct bpf_map *map)
{
	mirror->map = bpf_map__fd(map);
	mirror->key_size = bpf_map__key_size(map);
	mirror->size = bpf_map__value_size(map);
	mirror->buffer = tool_memory(malloc(mirror->size));
}

static void free_rows(struct mirror_row *row)
{
	struct mirror_row *next;

	for (; row; row = next) {
		next = row->next;
		free(row);
	}
}

void mirror_close(struct mirror *mirror)
{
	for (size_t i = 0; i < MIRROR_BUCKETS; i++)
		free_rows(mirror->rows[i]);
	free_rows(mirror->gone);
	free(mirror->buffer);
}

static struct mirror_row *get_row(struct mirror *mirror, const __u32 *key)
{
	size_t bucket = (key[0] * 31 + key[1]) % MIRROR_BUCKETS;
	struct mirror_row *row;

	for (row = mirror->rows[bucket]; row; row = row->next)
		if (!memcmp(row->key, key, sizeof(row->key)))
			return row;
	row = tool_memory(calloc(1, sizeof(*row) + 2 * mirror->size));
	memcpy(row->key, key, sizeof(row->key));
	row->now = row + 1;
	row->base = (char *)row->now + mirror->size;
	row->next = mirror->rows[bucket];
	mirror->rows[bucket] = row;
	mirror->nr++;
	return row;
}

int mirror_read(struct mirror *mirror)
{
	__u32 key[2] = {}, *last = NULL;
	struct mirror_row *row;
	int err;

	while (!(err = bpf_map_get_next_key(mirror->map, last, key))) {
		last = key;
		if (bpf_map_lookup_elem(mirror->map, key, mirror->buffer))
			continue;
		row = get_row(mirror, key);
		row->quiet = !memcmp(row->now, mirror->buffer, mirror->size);
		memcpy(row->now, mirror->buffer, mirror->size);
	}
	return err == -ENOENT ? 0 : err;
}

/* Removes *@link from the kernel's map; it then points to the next row. */
static void retire(struct mirror *mirror, struct mirror_row **link)
{
	struct mirror_row *row = *link;

	bpf_map_lookup_and_delete_elem(mirror->map, row->key, row->now);
	row->gone = true;
	*link = row->next;
	row->next = mirror->gone;
	mirror->gone = row;
}

void mirror_retire(struct mirror *mirror,
		   bool (*over)(const struct mirror_row *row, void *data),
		   void *data)
{
	for (size_t i = 0; i < MIRROR_BUCKETS; i++) {
		struct mirror_row **link = &mirror->rows[i];

		while (*link) {
			if (over(*link, data))
				retire(mirror, link);
			else
				link = &(*link)->next;
		}
	}
}

static void each(struct mirror_row *row,
		 void (*call)(const struct mirror_row *row, void *data),
		 void *data)
{
	for (; row; row = row->next)
		call(row, data);
}

void mirror_each(struct mirror *mirror,
		 void (*call)(const struct mirror_row *row, void *data),
		 void *data)
{
	for (size_t i = 0; i < MIRROR_BUCKETS; i++)
		each(mirror->rows[i], call, data);
	each(mirror->gone, call, data);
}

void mirror_advance(struct mirror *mirror,
		    void (*gone)(const struct mirror_row *row, void *data),
		    void *data)
{
	struct mirror_row *row;

	for (size_t i = 0; i < MIRROR_BUCKETS; i++)
		for (row = mirror->rows[i]; row; row = row->next)
			memcpy(row->base, row->now, mirror->size);
	for (row = mirror->gone; row; row = row->next) {
		if (gone)
			gone(row, data);
		mirror->nr--;
	}
	free_rows(mirror->gone);
	mirror->gone = NULL;
}
