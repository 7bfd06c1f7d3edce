// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/owner.h"
#include "collector.h"
#include "places.h"
#include "snapshot.h"

static int compare_objects(const void *a, const void *b)
{
	const struct list_object *left = a, *right = b;

	if (left->ctx != right->ctx)
		return left->ctx < right->ctx ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

const struct list_object *snapshot_find(const struct listing *listing,
					__u32 ctx, __u32 id)
{
	struct list_object key = { .ctx = ctx, .id = id };

	if (!listing->nr_objects)
		return NULL;
	return bsearch(&key, listing->objects, listing->nr_objects, sizeof(key),
		       compare_objects);
}

/*
 * Maximum depth: a nested page table is on a vIOMMU, which is on its
 * second-stage page table.
 */
#define DEPTH 4

__u32 snapshot_root(const struct listing *listing, __u32 ctx, __u32 id)
{
	const struct list_object *object;

	for (int i = 0; i < DEPTH && id; i++) {
		object = snapshot_find(listing, ctx, id);
		if (!object)
			return 0;
		if (object->type == LIST_TYPE_IOAS)
			return id;
		id = object->parent;
	}
	return 0;
}

__s64 snapshot_devices(const struct listing *listing,
		       const struct list_object *table)
{
	const struct list_object *end = listing->objects + listing->nr_objects;
	const struct list_object *object = table;
	__s64 devices = table->users;

	/* Objects of the same context are before and after it. */
	while (object > listing->objects && object[-1].ctx == table->ctx)
		object--;
	for (; object < end && object->ctx == table->ctx; object++)
		if ((object->type == LIST_TYPE_HWPT_NESTED ||
		     object->type == LIST_TYPE_VIOMMU) &&
		    object->parent == table->id)
			devices--;
	return devices > 0 ? devices : 0;
}

/* Objects that have ended, or are only beginning, have no gauges. */
void snapshot_gauges(struct entry *entry, const struct listing *listing)
{
	const struct list_object *found = NULL;

	if (!entry->ended)
		found = snapshot_find(listing, entry->ctx, entry->ioas);
	if (!found)
		return;
	entry->mapped = found->mapped;
	entry->pinned = found->pinned;
	entry->areas = found->areas;
}

static void add_context(struct collector *c, const struct list_ctx *ctx,
			__u64 waiting)
{
	int program = bpf_program__fd(c->pins->progs.read_owner);
	struct list_ctx of_owner = *ctx;
	struct entry owner = {};
	struct owner limits;
	struct process *process;
	struct entry *sum;

	owner_fill(&c->owners, ctx->ctx, &owner);
	if (!owner.pid || (c->options.pid && c->options.pid != owner.pid))
		return;
	process = process_of(&c->owners, &owner);
	process->shown = true;
	sum = &process->entry;
	sum->pinned += ctx->pinned;
	sum->contexts++;
	sum->waiting += waiting;
	of_owner.tgid = owner.pid;
	owner_read(program, &of_owner, &limits);
	owner_set_limit(process, &limits);
	c->model.total.pinned += ctx->pinned;
	c->model.total.waiting += waiting;
}

void snapshot_contexts(struct collector *c)
{
	const struct listing *listing = c->listing;
	const struct list_object *object = listing->objects;
	const struct list_object *end = object + listing->nr_objects;

	for (size_t i = 0; i < listing->nr_contexts; i++) {
		const struct list_ctx *ctx = &listing->contexts[i];
		__u64 waiting = 0;

		for (; object < end && object->ctx <= ctx->ctx; object++)
			if (object->ctx == ctx->ctx)
				waiting += object->faults;
		add_context(c, ctx, waiting);
	}
}

/* Adds a row for an existing object, unless events have added one. */
static int adopt_as(const struct bpf_map *map, const struct list_object *object,
		    struct top_place *places, void *row)
{
	struct top_key key = { .ctx = object->ctx, .id = object->id };
	int err;

	*(struct top_life *)row = (struct top_life){
		.late = 1,
		.alive = 1,
		.listed = 1,
		.type = object->type,
	};
	if (places && places_add(places, key.ctx, key.id, row))
		return 0;
	err = bpf_map_update_elem(bpf_map__fd(map), &key, row, BPF_NOEXIST);
	return err == -EEXIST ? 0 : err;
}

static int adopt(struct collector *c, const struct list_ctx *owner,
		 const struct list_object *object)
{
	struct top_row row = { .tgid = owner->tgid, .uid = owner->uid };
	struct top_table table = { .parent = object->parent };
	struct top_device device = {};

	switch (object->type) {
	case LIST_TYPE_IOAS:
		memcpy(row.comm, owner->comm, sizeof(row.comm));
		return adopt_as(c->top->maps.rows, object, c->top->bss->places,
				&row);
	case LIST_TYPE_HWPT_PAGING:
	case LIST_TYPE_HWPT_NESTED:
	case LIST_TYPE_VIOMMU:
		return adopt_as(c->top->maps.tables, object, NULL, &table);
	case LIST_TYPE_DEVICE:
		if (*object->name) {
			memcpy(device.name, object->name, sizeof(device.name));
			device.group = object->group;
		}
		return adopt_as(c->top->maps.devices, object, NULL, &device);
	default:
		return 0;
	}
}

/* Whether a context existed before the start; if so, adds it as such. */
static bool was_there(struct collector *c, __u32 number)
{
	int fd = bpf_map__fd(c->top->maps.contexts);
	struct top_ctx ctx = { .late = 1 };

	bpf_map_update_elem(fd, &number, &ctx, BPF_NOEXIST);
	return !bpf_map_lookup_elem(fd, &number, &ctx) && ctx.late;
}

int snapshot_adopt(struct collector *c)
{
	const struct listing *listing = list_read(c->list);
	const struct list_object *object;
	size_t next = 0;
	int err = 0;

	if (!listing)
		return -EIO;
	owners_begin(&c->owners, listing);
	for (size_t i = 0; i < listing->nr_contexts && !err; i++) {
		const struct list_ctx *ctx = &listing->contexts[i];
		bool there = was_there(c, ctx->ctx);

		for (; next < listing->nr_objects && !err; next++) {
			object = &listing->objects[next];
			if (object->ctx != ctx->ctx)
				break;
			if (there)
				err = adopt(c, ctx, object);
		}
	}
	return err;
}
