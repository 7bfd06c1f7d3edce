// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdbool.h>
#include <stdlib.h>
#include "../lib/tool.h"
#include "totals.h"

/**
 * struct total_ctx - a context
 * @gone: of objects that are destroyed
 * @sum: of all
 */
struct total_ctx {
	__u32 ctx;
	__u64 gone[TOTALS];
	__u64 sum[TOTALS];
};

/* An object as the last look has seen it. */
struct total_object {
	__u32 ctx;
	__u32 id;
	__u32 type;
	__u64 count[TOTALS];
};

static int by_ctx(const void *a, const void *b)
{
	const struct total_ctx *left = a, *right = b;

	return (left->ctx > right->ctx) - (left->ctx < right->ctx);
}

static int by_id(const void *a, const void *b)
{
	const struct total_object *left = a, *right = b;

	if (left->ctx != right->ctx)
		return left->ctx < right->ctx ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

static struct total_ctx *find_ctx(const struct totals *totals, __u32 ctx)
{
	struct total_ctx key = { .ctx = ctx };

	return totals->nr_contexts ?
		       bsearch(&key, totals->contexts, totals->nr_contexts,
			       sizeof(key), by_ctx) :
		       NULL;
}

static void add(__u64 *to, const __u64 *count)
{
	for (int i = 0; i < TOTALS; i++)
		to[i] += count[i];
}

/* The id of a destroyed one may be used again: that begins at 0. */
static bool is_same(const struct total_object *then,
		    const struct total_object *now)
{
	if (!now || then->type != now->type)
		return false;
	for (int i = 0; i < TOTALS; i++)
		if (now->count[i] < then->count[i])
			return false;
	return true;
}

static void fill(struct totals *now, const struct listing *found)
{
	now->nr_contexts = found->nr_contexts;
	now->nr_objects = found->nr_objects;
	now->contexts = tool_memory(calloc(now->nr_contexts + 1,
					   sizeof(*now->contexts)));
	now->objects =
		tool_memory(calloc(now->nr_objects + 1, sizeof(*now->objects)));
	for (size_t i = 0; i < now->nr_contexts; i++)
		now->contexts[i].ctx = found->contexts[i].ctx;
	for (size_t i = 0; i < now->nr_objects; i++) {
		const struct list_object *object = &found->objects[i];

		now->objects[i] = (struct total_object){
			.ctx = object->ctx,
			.id = object->id,
			.type = object->type,
			.count = { object->maps, object->unmaps,
				   object->invalidations },
		};
	}
}

/* What @totals has of contexts that are still there goes on in @now. */
static void carry(const struct totals *totals, struct totals *now)
{
	for (size_t i = 0; i < totals->nr_contexts; i++) {
		const struct total_ctx *then = &totals->contexts[i];
		struct total_ctx *ctx = find_ctx(now, then->ctx);

		if (ctx)
			add(ctx->gone, then->gone);
	}
	for (size_t i = 0; i < totals->nr_objects; i++) {
		const struct total_object *then = &totals->objects[i];
		struct total_ctx *ctx = find_ctx(now, then->ctx);

		if (ctx &&
		    !is_same(then, now->nr_objects ?
					   bsearch(then, now->objects,
						   now->nr_objects,
						   sizeof(*then), by_id) :
					   NULL))
			add(ctx->gone, then->count);
	}
}

void totals_take(struct totals *totals, const struct listing *found)
{
	struct totals now = { .lost = found->lost };

	/* What is not in the list may be there all the same. */
	if (found->lost != totals->lost) {
		totals->lost = found->lost;
		return;
	}
	fill(&now, found);
	carry(totals, &now);
	for (size_t i = 0; i < now.nr_contexts; i++)
		add(now.contexts[i].sum, now.contexts[i].gone);
	for (size_t i = 0; i < now.nr_objects; i++) {
		struct total_ctx *ctx = find_ctx(&now, now.objects[i].ctx);

		if (ctx)
			add(ctx->sum, now.objects[i].count);
	}
	totals_free(totals);
	*totals = now;
}

const __u64 *totals_of(const struct totals *totals, __u32 ctx)
{
	static const __u64 none[TOTALS];
	const struct total_ctx *found = find_ctx(totals, ctx);

	return found ? found->sum : none;
}

void totals_free(struct totals *totals)
{
	free(totals->contexts);
	free(totals->objects);
}
