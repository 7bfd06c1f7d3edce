// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The existing objects, and their dependencies. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "fuzz.h"

static const char *const kind_names[KINDS] = {
	"ioas",	 "hwpt",     "nested", "viommu", "vdevice", "veventq",
	"fault", "hw_queue", "stdev",  "idev",	 "access",
};

struct object *object_add(struct run *run, enum kind kind, uint32_t id)
{
	struct world *world = run->world;
	struct object *object;

	/* An id that does not fit into the table is never used again. */
	object = calloc(1, sizeof(*object));
	object->kind = kind;
	object->id = id;
	object->fd = -1;
	object->alive = true;
	object->number = world->counts[kind]++;
	if (kind == IOAS) {
		object->space = calloc(1, sizeof(*object->space));
		object->space->alignment = 1;
		object->space->nr_usable = 1;
		object->space->usable[0].last = UINT64_MAX;
	}
	if (world->nr_objects < MOST_OBJECTS)
		world->objects[world->nr_objects++] = object;
	return object;
}

void object_depend(struct object *object, struct object *on)
{
	for (unsigned int i = 0; on && i < ARRAY_SIZE(object->on); i++) {
		if (!object->on[i]) {
			object->on[i] = on;
			on->users++;
			return;
		}
	}
}

static void unused(struct object *object)
{
	if (object->users)
		object->users--;
}

void object_undepend(struct object *object, struct object *on)
{
	for (unsigned int i = 0; on && i < ARRAY_SIZE(object->on); i++) {
		if (object->on[i] == on) {
			object->on[i] = NULL;
			unused(on);
			return;
		}
	}
}

/* The object is gone, and so are automatic ones without another user. */
void object_end(struct object *object)
{
	object->alive = false;
	for (unsigned int i = 0; i < ARRAY_SIZE(object->on); i++) {
		struct object *on = object->on[i];

		object->on[i] = NULL;
		if (!on)
			continue;
		unused(on);
		if (on->automatic && !on->users && on->alive)
			object_end(on);
	}
}

struct object *object_by_id(struct run *run, uint32_t id)
{
	struct world *world = run->world;

	for (unsigned int i = 0; i < world->nr_objects; i++)
		if (world->objects[i]->alive && world->objects[i]->id == id &&
		    world->objects[i]->kind != ACCESS)
			return world->objects[i];
	return NULL;
}

bool is(const struct object *object, enum kind kind)
{
	return object && object->alive && object->kind == kind;
}

/* An existing object of a kind, or NULL. */
struct object *right(struct run *run, enum kind kind)
{
	struct world *world = run->world;
	struct object *found[MOST_OBJECTS];
	unsigned int n = 0;

	for (unsigned int i = 0; i < world->nr_objects; i++)
		if (is(world->objects[i], kind))
			found[n++] = world->objects[i];
	return n ? found[below(&run->rng, n)] : NULL;
}

/* Mostly one of a kind; else one that is gone, one of another kind, or none. */
struct object *pick(struct run *run, enum kind kind)
{
	struct world *world = run->world;
	struct object *object = NULL;

	if (!wrong(run, 10))
		return right(run, kind);
	if (world->nr_objects && chance(&run->rng, 80))
		object = world->objects[below(&run->rng, world->nr_objects)];
	return object;
}

/* Mostly a suitable one of a kind, if there is one. */
struct object *prefer(struct run *run, enum kind kind,
		      bool (*suits)(struct run *run,
				    const struct object *object))
{
	struct world *world = run->world;
	struct object *found[MOST_OBJECTS];
	unsigned int n = 0;

	for (unsigned int i = 0; i < world->nr_objects; i++)
		if (is(world->objects[i], kind) &&
		    suits(run, world->objects[i]))
			found[n++] = world->objects[i];
	if (!n || chance(&run->rng, 15))
		return pick(run, kind);
	return found[below(&run->rng, n)];
}

/* An IOAS. */
bool has_areas(struct run *run, const struct object *ioas)
{
	(void)run;
	return ioas->space->nr_areas;
}

bool is_parent(struct run *run, const struct object *hwpt)
{
	(void)run;
	return hwpt->flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
}

bool tracks_dirty(struct run *run, const struct object *hwpt)
{
	(void)run;
	return hwpt->flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
}

/* A page table. */
bool is_for_pasids(struct run *run, const struct object *hwpt)
{
	(void)run;
	return hwpt->flags & IOMMU_HWPT_ALLOC_PASID;
}

/* A device, as a STDEV or an IDEV. */
bool has_pasids(struct run *run, const struct object *device)
{
	(void)run;
	return device->flags & MOCK_FLAGS_DEVICE_PASID;
}

/* The STDEV of an IDEV. */
struct object *stdev_of(struct run *run, const struct object *idev)
{
	for (unsigned int i = 0; i < run->world->nr_objects; i++)
		if (is(run->world->objects[i], STDEV) &&
		    run->world->objects[i]->device == idev)
			return run->world->objects[i];
	return NULL;
}

/* The queue that receives the faults of a page table. */
struct object *queue_of(const struct object *hwpt)
{
	for (unsigned int i = 0; hwpt && i < ARRAY_SIZE(hwpt->on); i++)
		if (hwpt->on[i] && hwpt->on[i]->kind == FAULT)
			return hwpt->on[i];
	return NULL;
}

/* One of several kinds: mostly of those that exist. */
struct object *pick_of(struct run *run, const enum kind *kinds, unsigned int n)
{
	struct object *object = NULL;

	for (unsigned int tries = 0; !object && tries < 6; tries++)
		object = pick(run, kinds[below(&run->rng, n)]);
	return object;
}

/*
 * The id for a request. The id of an object that is gone may belong to another
 * one by now, depending on how a kernel allocates ids.
 */
uint32_t id_of(struct run *run, const struct object *object)
{
	if (!object || object->kind == ACCESS)
		return 0x7f000001;
	/* The ids of accesses are not known. */
	if (!object->alive &&
	    (run->world->counts[ACCESS] || run->world->counts[HW_QUEUE] ||
	     object_by_id(run, object->id)))
		return 0x7f000002;
	return object->id;
}

const char *name_of(const struct object *object)
{
	static __thread char names[4][32];
	static __thread unsigned int next;
	char *name = names[next++ % 4];

	if (!object)
		return "none";
	snprintf(name, sizeof(names[0]), "%s%u%s", kind_names[object->kind],
		 object->number, object->alive ? "" : "!");
	return name;
}

/*
 * The addresses that the page tables of an IOAS translate; the mock has two
 * kinds.
 */
struct iommu_iova_range aperture_of(struct run *run, const struct object *ioas)
{
	struct iommu_iova_range range = { 0, UINT64_MAX };

	for (unsigned int i = 0; i < run->world->nr_objects; i++) {
		struct object *hwpt = run->world->objects[i];

		if (!is(hwpt, HWPT) || hwpt->on[0] != ioas)
			continue;
		if (!hwpt->huge)
			return (struct iommu_iova_range){ MOCK_APERTURE_START,
							  MOCK_APERTURE_LAST };
		range.last = HUGE_APERTURE_LAST;
	}
	return range;
}

/* The number of page tables that follow an IOAS. */
unsigned int hwpts_on(struct run *run, const struct object *ioas)
{
	struct world *world = run->world;
	unsigned int n = 0;

	for (unsigned int i = 0; i < world->nr_objects; i++)
		n += is(world->objects[i], HWPT) &&
		     world->objects[i]->on[0] == ioas;
	return n;
}

/*
 * Queries the usable ranges from the kernel; for the mock they are known, and
 * compared.
 */
void ioas_refresh(struct run *run, struct object *ioas)
{
	struct space *space = ioas->space;
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas->id,
		.num_iovas = MOST_RANGES,
		.allowed_iovas = (uintptr_t)space->usable,
	};

	if (run->world->wild || !ioas->alive)
		return;
	space->nr_usable = 0;
	if (ioctl(run->world->fd, IOMMU_IOAS_IOVA_RANGES, &cmd))
		return;
	space->nr_usable = cmd.num_iovas;
	space->alignment = cmd.out_iova_alignment;
}
