// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "list_source.h"
#include "tool.h"

#define MAX_SOURCES 2

/**
 * struct list - the open sources, @nr of them
 * @state: of each source
 * @type1: VFIO type1 belongs to them, and is opened when the kernel has it
 */
struct list {
	size_t nr;
	const struct list_source *source[MAX_SOURCES];
	void *state[MAX_SOURCES];
	bool type1;
	struct listing found;
};

/* Adds an element to an array whose size doubles at powers of 2. */
static void *grow(void *array, size_t nr, size_t size)
{
	return nr & (nr - 1) ?
		       array :
		       tool_memory(reallocarray(array, nr ? 2 * nr : 1, size));
}

struct list_ctx *listing_add_ctx(struct listing *to)
{
	struct list_ctx *ctx;

	to->contexts =
		grow(to->contexts, to->nr_contexts, sizeof(*to->contexts));
	ctx = &to->contexts[to->nr_contexts++];
	*ctx = (struct list_ctx){ .kind = LIST_CTX };
	return ctx;
}

struct list_object *listing_add_object(struct listing *to)
{
	struct list_object *object;

	to->objects = grow(to->objects, to->nr_objects, sizeof(*to->objects));
	object = &to->objects[to->nr_objects++];
	*object = (struct list_object){ .kind = LIST_OBJECT };
	return object;
}

struct list_near *listing_add_near(struct listing *to)
{
	struct list_near *near;

	to->near = grow(to->near, to->nr_near, sizeof(*to->near));
	near = &to->near[to->nr_near++];
	*near = (struct list_near){ .kind = LIST_NEAR };
	return near;
}

static int compare_contexts(const void *a, const void *b)
{
	const struct list_ctx *left = a, *right = b;

	return (left->ctx > right->ctx) - (left->ctx < right->ctx);
}

static int compare_objects(const void *a, const void *b)
{
	const struct list_object *left = a, *right = b;

	if (left->ctx != right->ctx)
		return left->ctx < right->ctx ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

void listing_sort(struct listing *listing)
{
	if (listing->nr_contexts)
		qsort(listing->contexts, listing->nr_contexts,
		      sizeof(*listing->contexts), compare_contexts);
	if (listing->nr_objects)
		qsort(listing->objects, listing->nr_objects,
		      sizeof(*listing->objects), compare_objects);
}

struct list_object *listing_find(const struct listing *listing, __u32 ctx,
				 __u32 id)
{
	struct list_object key = { .ctx = ctx, .id = id };

	if (!listing->nr_objects)
		return NULL;
	return bsearch(&key, listing->objects, listing->nr_objects, sizeof(key),
		       compare_objects);
}

struct list_ctx *listing_find_ctx(const struct listing *listing, __u32 ctx)
{
	struct list_ctx key = { .ctx = ctx };

	if (!listing->nr_contexts)
		return NULL;
	return bsearch(&key, listing->contexts, listing->nr_contexts,
		       sizeof(key), compare_contexts);
}

/* Returns false after reporting an error. */
static bool add_source(struct list *list, const struct list_source *source)
{
	void *state = source->open();

	if (!state)
		return false;
	list->source[list->nr] = source;
	list->state[list->nr++] = state;
	return true;
}

/* The module can be loaded at any time, and brings the types with it. */
static bool add_type1(struct list *list)
{
	if (!list->type1 || !source_has_type1(""))
		return true;
	list->type1 = false;
	return add_source(list, &type1_list_source);
}

struct list *list_open(enum source_kind kind)
{
	struct list *list = tool_memory(calloc(1, sizeof(*list)));

	list->type1 = kind != SOURCE_OURS;
	if ((kind == SOURCE_OURS && !add_source(list, &ours_list_source)) ||
	    (kind == SOURCE_UPSTREAM &&
	     !add_source(list, &upstream_list_source)) ||
	    !add_type1(list)) {
		list_close(list);
		return NULL;
	}
	return list;
}

void list_close(struct list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->nr; i++)
		list->source[i]->close(list->state[i]);
	free(list->found.contexts);
	free(list->found.objects);
	free(list->found.near);
	free(list);
}

void list_count_tables(struct list *list)
{
	list->found.wants_tables = true;
}

static const struct listing *read_all(struct list *list)
{
	struct listing *found = &list->found;
	int err = 0;

	if (!add_type1(list))
		return NULL;
	found->nr_contexts = 0;
	found->nr_objects = 0;
	found->nr_near = 0;
	found->lost = 0;
	for (size_t i = 0; i < list->nr && !err; i++)
		err = list->source[i]->read(list->state[i], found);
	if (err < 0) {
		err_say("can't list contexts and objects: %s", strerror(-err));
		return NULL;
	}
	listing_sort(found);
	return found;
}

const struct listing *list_read(struct list *list)
{
	list->found.wants_near = false;
	return read_all(list);
}

const struct listing *list_read_near(struct list *list, __u64 iova)
{
	list->found.wants_near = true;
	list->found.iova = iova;
	return read_all(list);
}

const char *list_missing(const struct list *list, size_t n)
{
	for (size_t i = 0; i < list->nr; i++) {
		const char *fact;

		for (size_t at = 0; list->source[i]->missing; at++) {
			fact = list->source[i]->missing(list->state[i], at);
			if (!fact)
				break;
			if (!n--)
				return fact;
		}
	}
	return NULL;
}
