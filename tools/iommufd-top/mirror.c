// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/tool.h"
#include "mirror.h"
#include "places.h"

void mirror_open(struct mirror *mirror, const struct bpf_map *map,
		 struct top_place *places)
{
	mirror->map = bpf_map__fd(map);
	mirror->places = places;
	mirror->size = bpf_map__value_size(map);
	mirror->buffer = tool_memory(malloc(mirror->size));
	hash_init(&mirror->rows, sizeof(((struct mirror_row *)0)->key),
		  sizeof(struct mirror_row) + 2 * mirror->size);
}

static void free_gone(struct mirror_row *row)
{
	struct mirror_row *next;

	for (; row; row = next) {
		next = row->next;
		free(row);
	}
}

void mirror_close(struct mirror *mirror)
{
	hash_clear(&mirror->rows);
	free_gone(mirror->gone);
	free(mirror->buffer);
}

static struct mirror_row *get_row(struct mirror *mirror, const __u32 *key)
{
	struct mirror_row *row = hash_get(&mirror->rows, key);

	if (!row->now) {
		row->now = row + 1;
		row->base = (char *)row->now + mirror->size;
		mirror->nr++;
	}
	return row;
}

/* The value of @key is in the buffer. */
static void take(struct mirror *mirror, const __u32 *key)
{
	struct mirror_row *row = get_row(mirror, key);

	row->quiet = !memcmp(row->now, mirror->buffer, mirror->size);
	memcpy(row->now, mirror->buffer, mirror->size);
}

static void read_places(struct mirror *mirror)
{
	__u32 key[2];

	for (int i = 0; i < TOP_PLACES; i++)
		if (places_read(&mirror->places[i], key, mirror->buffer))
			take(mirror, key);
}

int mirror_read(struct mirror *mirror)
{
	__u32 key[2] = {}, *last = NULL;
	int err;

	if (mirror->places)
		read_places(mirror);
	while (!(err = bpf_map_get_next_key(mirror->map, last, key))) {
		last = key;
		if (!bpf_map_lookup_elem(mirror->map, key, mirror->buffer))
			take(mirror, key);
	}
	return err == -ENOENT ? 0 : err;
}

static void retire(struct mirror *mirror, struct mirror_row *row)
{
	if (!mirror->places ||
	    !places_remove(mirror->places, row->key[0], row->key[1], row->now))
		bpf_map_lookup_and_delete_elem(mirror->map, row->key, row->now);
	hash_remove(&mirror->rows, row);
	row->gone = true;
	row->next = mirror->gone;
	mirror->gone = row;
}

void mirror_retire(struct mirror *mirror,
		   bool (*over)(const struct mirror_row *row, void *data),
		   void *data)
{
	struct mirror_row *row, *next;

	for (row = hash_next(&mirror->rows, NULL); row; row = next) {
		next = hash_next(&mirror->rows, row);
		if (over(row, data))
			retire(mirror, row);
	}
}

void mirror_each(struct mirror *mirror,
		 void (*call)(const struct mirror_row *row, void *data),
		 void *data)
{
	const struct mirror_row *row = NULL;

	while ((row = hash_next(&mirror->rows, row)))
		call(row, data);
	for (row = mirror->gone; row; row = row->next)
		call(row, data);
}

void mirror_advance(struct mirror *mirror,
		    void (*gone)(const struct mirror_row *row, void *data),
		    void *data)
{
	struct mirror_row *row = NULL;

	while ((row = hash_next(&mirror->rows, row)))
		memcpy(row->base, row->now, mirror->size);
	for (row = mirror->gone; row; row = row->next) {
		if (gone)
			gone(row, data);
		mirror->nr--;
	}
	free_gone(mirror->gone);
	mirror->gone = NULL;
}
