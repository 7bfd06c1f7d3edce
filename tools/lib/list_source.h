/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The interface between list.c and each source of lists. */
#ifndef __LIB_LIST_SOURCE_H
#define __LIB_LIST_SOURCE_H

#include "list.h"

/**
 * struct list_source - a source of lists
 * @open: returns its state, or NULL after reporting an error
 * @read: adds what there is to a listing. Returns 0 or a negative errno
 * @missing: see list_missing(); NULL if nothing can be missing
 * @close: frees the state
 */
struct list_source {
	void *(*open)(void);
	int (*read)(void *state, struct listing *to);
	const char *(*missing)(const void *state, size_t n);
	void (*close)(void *state);
};

extern const struct list_source ours_list_source;
extern const struct list_source upstream_list_source;
extern const struct list_source type1_list_source;

/* Zeroed; valid until the next call. */
struct list_ctx *listing_add_ctx(struct listing *to);
struct list_object *listing_add_object(struct listing *to);
struct list_near *listing_add_near(struct listing *to);

/* Sorts contexts and objects. */
void listing_sort(struct listing *listing);

#endif
