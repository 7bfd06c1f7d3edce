// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include "../lib/json.h"
#include "dma.h"

void print_why(const struct burst *burst)
{
	char text[EXPLAIN_TEXT_LEN];

	for (unsigned int i = 0; dma_explain_text(text, &burst->why, i); i++)
		printf("%8s%s\n", "", text);
}

/* A number that is not known if it is 0. */
static void add_id(struct json_object *to, const char *name, __u32 id)
{
	json_add(to, name, id ? json_object_new_int64(id) : NULL);
}

static void add_right(struct json_object *to, const char *name,
		      const struct list_area *area, __u32 right)
{
	json_add(to, name,
		 area->flags == LIST_NOT_KNOWN ?
			 NULL :
			 json_object_new_boolean(area->flags & right));
}

static const char *backing_of(const struct list_area *area)
{
	switch (area->source) {
	case LIST_AREA_VA:
		return "va";
	case LIST_AREA_MEMFD:
		return "memfd";
	case LIST_AREA_DMABUF:
		return "dmabuf";
	default:
		return NULL;
	}
}

static struct json_object *new_area(const struct list_area *area)
{
	struct json_object *out = json_object_new_object();
	const char *backing = backing_of(area);

	json_add_u64(out, "iova", area->iova);
	json_add_u64(out, "length_bytes", area->length);
	add_right(out, "readable", area, LIST_AREA_READ);
	add_right(out, "writable", area, LIST_AREA_WRITE);
	json_add(out, "backing",
		 backing ? json_object_new_string(backing) : NULL);
	json_add(out, "backing_address",
		 area->addr == LIST_UNKNOWN ?
			 NULL :
			 json_object_new_uint64(area->addr));
	return out;
}

/* Adds a mapping next to the address; null if no mapping is there, or known. */
static void add_neighbour(struct json_object *to, const char *name,
			  const struct list_area *area, __u64 distance)
{
	struct json_object *out = area->length ? new_area(area) : NULL;

	if (out)
		json_add_u64(out, "distance_bytes", distance);
	json_add(to, name, out);
}

static struct json_object *new_origin(__u64 ago_ns, __u32 tgid, __u32 tid,
				      const char *comm)
{
	struct json_object *out = json_object_new_object();

	json_add_u64(out, "ago_ns", ago_ns);
	json_add_u64(out, "pid", tgid);
	json_add_u64(out, "tid", tid);
	json_add_text(out, "thread", comm);
	return out;
}

static struct json_object *new_unmap(const struct dma_explanation *why)
{
	const struct history_unmap *unmap = &why->unmap;
	struct json_object *out;

	if (!why->has_unmap)
		return NULL;
	out = new_origin(why->now_ns - unmap->time_ns, unmap->tgid, unmap->tid,
			 unmap->comm);
	json_add_u64(out, "iova", unmap->iova);
	json_add_u64(out, "length_bytes", unmap->length);
	json_add_u64(out, "unmapped_bytes", unmap->unmapped);
	return out;
}

static struct json_object *new_detach(const struct dma_explanation *why)
{
	const struct history_attach *detach = &why->detach;

	if (!why->has_detach)
		return NULL;
	return new_origin(why->now_ns - detach->time_ns, detach->tgid,
			  detach->tid, detach->comm);
}

static struct json_object *new_elsewhere(const struct dma_explanation *why)
{
	struct json_object *out;

	if (!why->other_ioas)
		return NULL;
	out = new_area(&why->other);
	json_add_u64(out, "ctx", why->other_ctx);
	json_add_u64(out, "ioas", why->other_ioas);
	return out;
}

static struct json_object *new_reserved(const struct dma_explanation *why)
{
	struct json_object *out;

	if (!*why->reserved)
		return NULL;
	out = json_object_new_object();
	json_add_u64(out, "iova", why->reserved_first);
	json_add_u64(out, "length_bytes",
		     why->reserved_last - why->reserved_first + 1);
	json_add_text(out, "reserved_for", why->reserved);
	return out;
}

static struct json_object *new_text(const struct dma_explanation *why)
{
	struct json_object *out = json_object_new_array();
	char text[EXPLAIN_TEXT_LEN];

	for (unsigned int i = 0; dma_explain_text(text, why, i); i++)
		json_object_array_add(out, json_object_new_string(text));
	return out;
}

void print_why_json(struct json_object *to, const struct burst *burst)
{
	const struct dma_explanation *why = &burst->why;
	const struct list_area *at = &why->near.at, *below = &why->near.below,
			       *above = &why->near.above;

	json_add_text(to, "finding", dma_finding_name(why->finding));
	json_add(to, "explanation", new_text(why));
	add_id(to, "ctx", why->ctx);
	add_id(to, "ioas", why->ioas);
	add_id(to, "hwpt", why->hwpt);
	json_add(to, "mapping", at->length ? new_area(at) : NULL);
	add_neighbour(to, "below", below,
		      why->iova - below->iova - below->length);
	add_neighbour(to, "above", above, above->iova - why->iova);
	json_add(to, "elsewhere", new_elsewhere(why));
	json_add(to, "unmapped_by", new_unmap(why));
	json_add(to, "detached_by", new_detach(why));
	json_add(to, "reserved", new_reserved(why));
	json_add(to, "history_ns",
		 why->history_ns ? json_object_new_uint64(why->history_ns) :
				   NULL);
}
