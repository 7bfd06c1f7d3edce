/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy in a file, until it is attached. */
#ifndef __OBJECT_H
#define __OBJECT_H

#include <bpf/libbpf.h>
#include "attached.h"
#include "options.h"

/**
 * struct object - a policy in a file
 * @obj: what is in the file
 * @map: the policy
 * @path: of the file
 * @name: name of the policy
 */
struct object {
	struct bpf_object *obj;
	struct bpf_map *map;
	char path[PATH_MAX];
	char name[16];
};

/*
 * Opens the file and makes the policy what the options say; for the rest it is
 * as @old, if that is not NULL. False if that can't be; why was said.
 */
bool object_open(struct object *object, const struct options *options,
		 const struct attached *old);

/* Brings it into the kernel with its settings, and the state of @old. */
bool object_load(struct object *object, const struct options *options,
		 const struct attached *old);

/* The map of a policy that is loaded, ready for bpf_link_update(); -1 if not. */
int object_ready(struct object *object);

void object_close(struct object *object);

#endif
