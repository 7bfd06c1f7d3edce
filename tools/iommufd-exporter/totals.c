// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include "../lib/tool.h"
#include "totals.h"

struct total_ctx {
	__u32 ctx;
	struct exporter_totals before;
};

static int by_ctx(const void *a, const void *b)
{
	const struct total_ctx *left = a, *right = b;

	return (left->ctx > right->ctx) - (left->ctx < right->ctx);
}

static struct total_ctx *find(const struct totals *totals, __u32 ctx)
{
	struct total_ctx key = { .ctx = ctx };

	return bsearch(&key, totals->contexts, totals->nr, sizeof(key), by_ctx);
}

void totals_take(struct totals *totals, const struct listing *found)
{
	totals->nr = found->nr_contexts;
	totals->contexts =
		tool_memory(calloc(totals->nr + 1, sizeof(*totals->contexts)));
	for (size_t i = 0; i < totals->nr; i++)
		totals->contexts[i].ctx = found->contexts[i].ctx;
	for (size_t i = 0; i < found->nr_objects; i++) {
		const struct list_object *object = &found->objects[i];
		struct total_ctx *ctx = find(totals, object->ctx);

		if (!ctx)
			continue;
		ctx->before.count[EXPORTER_MAPS] += object->maps;
		ctx->before.count[EXPORTER_UNMAPS] += object->unmaps;
		ctx->before.count[EXPORTER_INVALIDATIONS] +=
			object->invalidations;
	}
}

void totals_add(const struct totals *totals, __u32 ctx,
		struct exporter_totals *to)
{
	const struct total_ctx *found = find(totals, ctx);

	for (int i = 0; found && i < EXPORTER_TOTALS; i++)
		to->count[i] += found->before.count[i];
}

void totals_free(struct totals *totals)
{
	free(totals->contexts);
}
