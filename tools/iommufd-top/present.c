// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "iommufd_top.skel.h"
#include "present.h"

static int compare_objects(const void *a, const void *b)
{
	const struct list_object *left = a, *right = b;

	if (left->ctx != right->ctx)
		return left->ctx < right->ctx ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

/* What ended, or begins just now, has nothing. */
void present_gauges(struct row_report *row, const struct listing *listing)
{
	struct list_object key = { .ctx = row->ctx, .id = row->ioas };
	const struct list_object *found;

	if (row->ended)
		return;
	found = bsearch(&key, listing->objects, listing->nr_objects,
			sizeof(key), compare_objects);
	if (!found)
		return;
	row->mapped = found->mapped;
	row->pinned = found->pinned;
}

__u64 present_pinned(const struct listing *listing)
{
	__u64 pinned = 0;

	for (size_t i = 0; i < listing->nr_contexts; i++)
		pinned += listing->contexts[i].pinned;
	return pinned;
}

/* Has a row for an IOAS of a context that was there before us. */
static int adopt(struct iommufd_top *bpf, const struct list_ctx *owner,
		 const struct list_object *ioas)
{
	struct top_key key = { .ctx = ioas->ctx, .ioas = ioas->id };
	struct top_row row = {
		.tgid = owner->tgid,
		.uid = owner->uid,
		.late = 1,
		.alive = 1,
		.listed = 1,
	};
	int err;

	memcpy(row.comm, owner->comm, sizeof(row.comm));
	/* Events of it may have made one already. */
	err = bpf_map_update_elem(bpf_map__fd(bpf->maps.rows), &key, &row,
				  BPF_NOEXIST);
	return err == -EEXIST ? 0 : err;
}

/* Whether a context was there before us; makes that known. */
static bool was_there(struct iommufd_top *bpf, __u32 number)
{
	int fd = bpf_map__fd(bpf->maps.contexts);
	struct top_ctx ctx = { .late = 1 };

	bpf_map_update_elem(fd, &number, &ctx, BPF_NOEXIST);
	return !bpf_map_lookup_elem(fd, &number, &ctx) && ctx.late;
}

int present_adopt(struct iommufd_top *bpf, struct list *list)
{
	const struct listing *listing = list_read(list);
	const struct list_object *object;
	size_t next = 0;
	int err = 0;

	if (!listing)
		return -EIO;
	for (size_t i = 0; i < listing->nr_contexts && !err; i++) {
		const struct list_ctx *ctx = &listing->contexts[i];
		bool there = was_there(bpf, ctx->ctx);

		for (; next < listing->nr_objects && !err; next++) {
			object = &listing->objects[next];
			if (object->ctx != ctx->ctx)
				break;
			if (there && object->type == LIST_TYPE_IOAS)
				err = adopt(bpf, ctx, object);
		}
	}
	return err;
}
