/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of a policy's programs: settings and statistics. */
#ifndef __LIB_MAPS_H
#define __LIB_MAPS_H

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include "attached.h"

#define MAX_MAPS 32

/**
 * struct map - a map of a policy
 * @fd: the map
 * @info: the kernel's information about it
 * @btf: types of its keys and values, or NULL
 * @section: name of the section whose variables are in it, or NULL
 * @settings: the administrator may write it
 * @cpus: number of values per element, one for each CPU, or 0
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

/* Opens the maps of an attached policy. */
void maps_of(struct maps *maps, const struct attached *policy);

/* Adds a map and takes over its descriptor. */
void maps_add(struct maps *maps, int fd);

void maps_free(struct maps *maps);

/* Whether a map has settings of single owners. */
bool map_is_keyed(const struct map *map);

/* Whether the values of a map can be shown. */
bool map_is_readable(const struct map *map);

/* Distance between the values of two CPUs; number of bytes for each CPU. */
size_t map_stride(const struct map *map);
size_t map_lookup_size(const struct map *map);

/*
 * Changes a setting of a loaded policy: VAR=VALUE, or VAR[KEY]=VALUE for a
 * single owner; KEY is a number or the path of a cgroup, and without VALUE, the
 * owner gets the setting of all others. Returns false after reporting an error.
 */
bool maps_set(const struct maps *maps, const char *setting);

/* The names of the settings for a message: " limit, by". */
void maps_names(const struct maps *maps, char *text, size_t size);

#endif
