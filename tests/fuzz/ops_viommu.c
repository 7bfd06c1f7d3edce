// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The objects of a guest: vIOMMUs, vDEVICEs, hardware queues. */

#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

void viommu_alloc(struct run *run)
{
	struct object *idev = pick(run, IDEV), *viommu;
	struct object *hwpt = prefer(run, HWPT, is_parent);
	struct iommu_viommu_selftest data = { .in_data = rnd(&run->rng) };
	struct iommu_viommu_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_VIOMMU_TYPE_SELFTEST,
		.dev_id = id_of(run, idev),
		.hwpt_id = id_of(run, hwpt),
	};

	if (chance(&run->rng, 5))
		cmd.type = below(&run->rng, 4);
	if (chance(&run->rng, 60)) {
		cmd.data_len = sizeof(data);
		cmd.data_uptr = (uintptr_t)&data;
	}
	must(run, cmd.type != IOMMU_VIOMMU_TYPE_SELFTEST || options.device,
	     EOPNOTSUPP);
	wants_object(run, idev, IDEV);
	wants_object(run, hwpt, HWPT);
	must(run,
	     is(hwpt, HWPT) && !(hwpt->flags & IOMMU_HWPT_ALLOC_NEST_PARENT),
	     EINVAL);
	call(run, IOMMU_VIOMMU_ALLOC, &cmd);
	judged(run, "%s on %s type %#x data %u", name_of(idev), name_of(hwpt),
	       cmd.type, cmd.data_len);
	if (run->error || !hwpt)
		return;
	if (cmd.data_len)
		check(run, data.out_data == data.in_data,
		      "the driver returned other data");
	viommu = object_add(run, VIOMMU, cmd.out_viommu_id);
	viommu->offset = data.out_mmap_offset;
	viommu->length = data.out_mmap_length;
	object_depend(viommu, hwpt);
}

static bool lacks_vdevice(struct run *run, const struct object *idev)
{
	for (unsigned int i = 0; i < run->world->nr_objects; i++)
		if (is(run->world->objects[i], VDEVICE) &&
		    run->world->objects[i]->device == idev)
			return false;
	return true;
}

static bool has_vdevice(struct run *run, const struct object *idev)
{
	return idev && !lacks_vdevice(run, idev);
}

static bool takes_id(struct run *run, const struct object *viommu,
		     uint64_t virt_id)
{
	for (unsigned int i = 0; i < run->world->nr_objects; i++) {
		struct object *vdevice = run->world->objects[i];

		if (is(vdevice, VDEVICE) && vdevice->on[0] == viommu &&
		    vdevice->offset == virt_id)
			return true;
	}
	return false;
}

void vdevice_alloc(struct run *run)
{
	struct object *viommu = pick(run, VIOMMU);
	struct object *idev = prefer(run, IDEV, lacks_vdevice);
	struct iommu_vdevice_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = id_of(run, viommu),
		.dev_id = id_of(run, idev),
		.virt_id = chance(&run->rng, 5) ? rnd(&run->rng) :
						  below(&run->rng, 4),
	};
	struct object *vdevice;

	wants_object(run, viommu, VIOMMU);
	wants_object(run, idev, IDEV);
	must(run, has_vdevice(run, idev), EEXIST);
	must(run, takes_id(run, viommu, cmd.virt_id), EEXIST);
	call(run, IOMMU_VDEVICE_ALLOC, &cmd);
	judged(run, "%s for %s as %#llx", name_of(viommu), name_of(idev),
	       (unsigned long long)cmd.virt_id);
	if (run->error || !viommu)
		return;
	vdevice = object_add(run, VDEVICE, cmd.out_vdevice_id);
	vdevice->device = idev;
	vdevice->offset = cmd.virt_id;
	object_depend(vdevice, viommu);
}

static bool has_queue(struct run *run, const struct object *viommu)
{
	for (unsigned int i = 0; i < run->world->nr_objects; i++)
		if (is(run->world->objects[i], VEVENTQ) &&
		    run->world->objects[i]->on[0] == viommu)
			return true;
	return false;
}

void veventq_alloc(struct run *run)
{
	struct object *viommu = pick(run, VIOMMU), *queue;
	struct iommu_veventq_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = id_of(run, viommu),
		.type = chance(&run->rng, 5) ? 0 : IOMMU_VEVENTQ_TYPE_SELFTEST,
		.veventq_depth = 1 + below(&run->rng, 3),
	};

	if (chance(&run->rng, 5))
		cmd.veventq_depth = 0;
	wants_object(run, viommu, VIOMMU);
	must(run, !cmd.type, EOPNOTSUPP);
	must(run, !cmd.veventq_depth, EINVAL);
	must(run, has_queue(run, viommu), EEXIST);
	call(run, IOMMU_VEVENTQ_ALLOC, &cmd);
	judged(run, "%s type %#x depth %u", name_of(viommu), cmd.type,
	       cmd.veventq_depth);
	if (run->error || !viommu)
		return;
	queue = object_add(run, VEVENTQ, cmd.out_veventq_id);
	queue->fd = cmd.out_veventq_fd;
	queue->users++;
	object_depend(queue, viommu);
}

/* Queues of a vIOMMU are allocated in order; each depends on the one before. */
static struct object *queue_at(struct run *run, const struct object *viommu,
			       unsigned int index)
{
	for (unsigned int i = 0; i < run->world->nr_objects; i++) {
		struct object *queue = run->world->objects[i];

		if (is(queue, HW_QUEUE) && queue->on[0] == viommu &&
		    queue->index == index)
			return queue;
	}
	return NULL;
}

static void fix(struct object *queue, struct object *hwpt)
{
	uint64_t last = queue->iova + (queue->length - 1);
	struct space *space = hwpt->on[0]->space;

	queue->hwpt = hwpt;
	for (unsigned int i = 0; i < space->nr_areas; i++) {
		struct area *area = &space->areas[i];

		if (area->iova <= last &&
		    queue->iova <= area->iova + (area->length - 1))
			area->fixed++;
	}
}

void hw_queue_alloc(struct run *run)
{
	struct object *viommu = pick(run, VIOMMU), *queue, *hwpt = NULL;
	struct iommu_hw_queue_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = id_of(run, viommu),
		.type = chance(&run->rng, 5) ? below(&run->rng, 2) :
					       IOMMU_HW_QUEUE_TYPE_SELFTEST,
		.index = below(&run->rng, chance(&run->rng, 10) ? 4 : 2),
		.length = PAGE,
	};
	struct object *before = NULL;
	struct space *space = NULL;

	if (is(viommu, VIOMMU))
		hwpt = viommu->on[0];
	if (hwpt && is(hwpt->on[0], IOAS))
		space = hwpt->on[0]->space;
	cmd.nesting_parent_iova = some_iova(run, space ? hwpt->on[0] : NULL);
	if (space && space->nr_areas && chance(&run->rng, 80))
		cmd.nesting_parent_iova =
			space->areas[below(&run->rng, space->nr_areas)].iova;
	if (chance(&run->rng, 10))
		cmd.length = below(&run->rng, 3 * PAGE);
	if (cmd.index)
		before = queue_at(run, viommu, cmd.index - 1);
	/* Our kernel refuses memory that is mapped read-only. */
	if (space && options.common) {
		struct area *area = space_first(space, cmd.nesting_parent_iova,
						cmd.nesting_parent_iova);

		if (area && !(area->prot & IOMMU_IOAS_MAP_WRITEABLE))
			return;
	}
	any(run);
	vague(run);
	call(run, IOMMU_HW_QUEUE_ALLOC, &cmd);
	judged(run, "%s type %#x index %u @%#llx %#llx", name_of(viommu),
	       cmd.type, cmd.index, (unsigned long long)cmd.nesting_parent_iova,
	       (unsigned long long)cmd.length);
	if (run->error || !viommu || !hwpt || !is(hwpt->on[0], IOAS))
		return;
	queue = object_add(run, HW_QUEUE, cmd.out_hw_queue_id);
	queue->iova = cmd.nesting_parent_iova;
	queue->length = cmd.length;
	queue->index = cmd.index;
	object_depend(queue, viommu);
	object_depend(queue, before);
	fix(queue, hwpt);
}

static bool offers(struct run *run, const struct object *viommu)
{
	(void)run;
	return viommu->length;
}

void viommu_map(struct run *run)
{
	struct object *viommu = prefer(run, VIOMMU, offers);
	uint64_t offset, length;
	void *map;

	if (!is(viommu, VIOMMU) || !viommu->length || run->world->wild)
		return;
	offset = viommu->offset;
	length = viommu->length;
	if (chance(&run->rng, 10))
		offset += PAGE;
	if (chance(&run->rng, 10))
		length = PAGE;
	must(run, offset != viommu->offset || length != viommu->length, ENXIO);
	map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED,
		   run->world->fd, offset);
	run->error = map == MAP_FAILED ? errno : 0;
	judged(run, "%s %#llx", name_of(viommu), (unsigned long long)length);
	if (run->error)
		return;
	*(volatile char *)map += 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(viommu->maps); i++) {
		if (viommu->maps[i])
			continue;
		viommu->maps[i] = map;
		viommu->users++;
		return;
	}
	munmap(map, length);
}

static bool is_mapped(struct run *run, const struct object *viommu)
{
	(void)run;
	for (unsigned int i = 0; i < ARRAY_SIZE(viommu->maps); i++)
		if (viommu->maps[i])
			return true;
	return false;
}

void viommu_unmap(struct run *run)
{
	struct object *viommu = prefer(run, VIOMMU, is_mapped);

	for (unsigned int i = 0; viommu && i < ARRAY_SIZE(viommu->maps); i++) {
		if (!viommu->maps[i])
			continue;
		run->error = munmap(viommu->maps[i], viommu->length) ? errno :
								       0;
		judged(run, "%s", name_of(viommu));
		viommu->maps[i] = NULL;
		viommu->users--;
		return;
	}
}
