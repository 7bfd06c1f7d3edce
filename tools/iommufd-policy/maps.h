/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs of a policy keep: settings and statistics. */
#ifndef __MAPS_H
#define __MAPS_H

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include "attached.h"

#define MAX_MAPS 32

/**
 * struct map - a map of a policy
 * @fd: the map
 * @info: what the kernel says of it
 * @btf: types of its keys and values, or NULL
 * @section: name of the section whose variables are in it, or NULL
 * @settings: it is there to be written by the administrator
 * @cpus: 0, or how many values an element has, one for each CPU
 */
struct map {
	int fd;
	struct bpf_map_info info;
	struct btf *btf;
	const char *section;
	bool settings;
	int cpus;
};

struct maps {
	struct map maps[MAX_MAPS];
	size_t nr;
};

/* Those of an attached policy. */
void maps_of(struct maps *maps, const struct attached *policy);

/* Adds one by its descriptor, which is taken over. */
void maps_add(struct maps *maps, int fd);

void maps_free(struct maps *maps);

/* Whether the values of a map can be shown. */
bool map_is_readable(const struct map *map);

/* From one CPU's value to the next; and bytes that a look-up writes. */
size_t map_stride(const struct map *map);
size_t map_lookup_size(const struct map *map);

/*
 * Gives a setting VAR=VALUE to a policy that is loaded. False if that can't be;
 * why was said.
 */
bool maps_set(const struct maps *maps, const char *setting);

/* The settings that there are, for a message: " limit, by". */
void maps_names(const struct maps *maps, char *text, size_t size);

#endif
