/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy in a file, up to its attachment. */
#ifndef __OBJECT_H
#define __OBJECT_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include "../lib/attached.h"
#include "options.h"

/**
 * struct object - a policy in a file
 * @obj: content of the file
 * @map: the policy
 * @path: path of the file
 * @name: name of the policy
 */
struct object {
	struct bpf_object *obj;
	struct bpf_map *map;
	char path[PATH_MAX];
	char name[16];
};

/*
 * Opens the file and applies the options to the policy; everything else is
 * taken from @old, if that is not NULL. Returns false after reporting an error.
 */
bool object_open(struct object *object, const struct options *options,
		 const struct attached *old);

/* Loads the policy with its settings, and the state of @old. */
bool object_load(struct object *object, const struct options *options,
		 const struct attached *old);

/* Whether the policy is charged for pinned memory. */
bool object_charges(const struct object *object);

/* The map of a loaded policy, ready for bpf_link_update(); -1 on errors. */
int object_ready(struct object *object);

void object_close(struct object *object);

#endif
