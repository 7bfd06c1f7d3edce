// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Devices of the mock: attached, moved, detached, with and without a PASID. */

#include <errno.h>
#include <sys/ioctl.h>

#include "fuzz.h"

static const uint32_t pasids[] = { 1, 100, IOMMU_TEST_PASID_RESERVED,
				   (1 << MOCK_PASID_WIDTH) - 1 };

/* Whether the mock can reach all mappings and allowed ranges. */
static bool in_the_way(struct run *run, struct object *ioas)
{
	struct space *space = ioas->space;

	if (aperture_of(run, ioas).start == MOCK_APERTURE_START)
		return false;
	for (unsigned int i = 0; i < space->nr_areas; i++) {
		struct area *area = &space->areas[i];

		if (area->iova < MOCK_APERTURE_START ||
		    area->iova + (area->length - 1) > MOCK_APERTURE_LAST ||
		    (area->iova | area->length | area->offset) % MOCK_PAGE_SIZE)
			return true;
	}
	for (unsigned int i = 0; i < space->nr_allowed; i++)
		if (space->allowed[i].start < MOCK_APERTURE_START ||
		    space->allowed[i].last > MOCK_APERTURE_LAST)
			return true;
	return false;
}

static void wants_memory(struct run *run, struct object *ioas)
{
	for (unsigned int i = 0; i < ioas->space->nr_areas; i++) {
		struct area *area = &ioas->space->areas[i];
		const struct memory *memory =
			&run->world->memories[area->memory];
		bool bad = memory_bad(run->world, area->memory, area->offset,
				      area->length, area->writable);

		if (memory->source == DMABUF) {
			may(run, bad, ENODEV);
			continue;
		}
		must(run, bad, EFAULT);
		may(run, bad, EPERM);
	}
}

/* A page table that follows an IOAS, for a device. */
static void wants_hwpt(struct run *run, struct object *ioas)
{
	must(run, in_the_way(run, ioas), EADDRINUSE);
	may(run, ioas->space->small_pages, EADDRINUSE);
	if (!hwpts_on(run, ioas))
		wants_memory(run, ioas);
}

static struct object *some_target(struct run *run)
{
	static const enum kind kinds[] = { IOAS, IOAS, HWPT, NESTED };

	return pick_of(run, kinds, ARRAY_SIZE(kinds));
}

/* The vIOMMU in which a device has an id. */
static struct object *viommu_of(struct run *run, const struct object *stdev)
{
	for (unsigned int i = 0; i < run->world->nr_objects; i++)
		if (is(run->world->objects[i], VDEVICE) && is(stdev, STDEV) &&
		    run->world->objects[i]->device == stdev->device)
			return run->world->objects[i]->on[0];
	return NULL;
}

/* Adds features to the device where possible. */
static struct object *some_target_of(struct run *run,
				     const struct object *stdev)
{
	struct object *viommu = viommu_of(run, stdev);

	if (is(stdev, STDEV) && has_pasids(run, stdev) && chance(&run->rng, 40))
		return prefer(run, HWPT, is_for_pasids);
	for (unsigned int i = 0; viommu && i < run->world->nr_objects; i++)
		if (is(run->world->objects[i], NESTED) &&
		    run->world->objects[i]->on[0] == viommu &&
		    chance(&run->rng, 60))
			return run->world->objects[i];
	return some_target(run);
}

/*
 * Not every page table suits every device: the results are compared, not
 * predicted.
 */
static void wants_target(struct run *run, struct object *target)
{
	if (is(target, IOAS)) {
		wants_hwpt(run, target);
		/* Where there is a PASID, the page table must allow PASIDs. */
		may(run, true, EINVAL);
	} else if (is(target, HWPT)) {
		may(run, true, EINVAL);
	} else if (is(target, NESTED)) {
		may(run, true, EINVAL);
		may(run, true, ENOENT);
	} else {
		must(run, true, ENOENT);
		may(run, true, EINVAL);
	}
}

/*
 * The page table through which a target was attached; one created for that is
 * new to us.
 */
static struct object *reached(struct run *run, struct object *target,
			      uint32_t id)
{
	struct object *hwpt = object_by_id(run, id);

	if (!is(target, IOAS))
		return target;
	if (is(hwpt, HWPT) && hwpt->on[0] == target) {
		check(run, hwpt->automatic, "attached to a named page table");
		return hwpt;
	}
	hwpt = object_add(run, HWPT, id);
	hwpt->automatic = true;
	object_depend(hwpt, target);
	return hwpt;
}

static void leave(struct object **place)
{
	struct object *hwpt = *place;

	*place = NULL;
	if (!hwpt)
		return;
	hwpt->users--;
	if (hwpt->automatic && !hwpt->users)
		object_end(hwpt);
}

static void enter(struct object **place, struct object *hwpt)
{
	struct object *old = *place;

	hwpt->users++;
	*place = hwpt;
	leave(&old);
}

void device_attach(struct run *run)
{
	static const uint32_t flags[] = { 0, 0, MOCK_FLAGS_DEVICE_NO_DIRTY,
					  MOCK_FLAGS_DEVICE_PASID,
					  MOCK_FLAGS_DEVICE_PASID };
	struct object *target = some_target(run), *stdev;
	struct iommu_test_cmd cmd = {
		.mock_domain_flags.dev_flags =
			flags[below(&run->rng, ARRAY_SIZE(flags))],
	};
	uint32_t dev_flags = cmd.mock_domain_flags.dev_flags;

	wants_target(run, target);
	mock(run, &cmd, IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS, id_of(run, target));
	judged(run, "%s flags %u", name_of(target), dev_flags);
	if (run->error || !target)
		return;
	stdev = object_add(run, STDEV, cmd.mock_domain_flags.out_stdev_id);
	stdev->flags = dev_flags;
	stdev->device =
		object_add(run, IDEV, cmd.mock_domain_flags.out_idev_id);
	stdev->device->flags = dev_flags;
	enter(&stdev->hwpt,
	      reached(run, target, cmd.mock_domain_flags.out_hwpt_id));
}

void device_replace(struct run *run)
{
	struct object *stdev = pick(run, STDEV);
	struct object *target = some_target_of(run, stdev);
	struct iommu_test_cmd cmd = {
		.mock_domain_replace.pt_id = id_of(run, target),
	};

	wants_object(run, stdev, STDEV);
	wants_target(run, target);
	mock(run, &cmd, IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, id_of(run, stdev));
	judged(run, "%s to %s", name_of(stdev), name_of(target));
	if (!run->error && is(stdev, STDEV) && target)
		enter(&stdev->hwpt,
		      reached(run, target, cmd.mock_domain_replace.pt_id));
}

void pasids_detach(struct world *world, const struct object *stdev)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
		struct iommu_test_cmd cmd = {
			.size = sizeof(cmd),
			.op = IOMMU_TEST_OP_PASID_DETACH,
			.id = stdev->id,
			.pasid_detach.pasid = pasids[i],
		};

		if (stdev->pasids[i])
			ioctl(world->fd, IOMMU_TEST_CMD, &cmd);
	}
}

/*
 * The objects that end with a device: its page tables, itself, and its vDEVICE.
 */
void stdev_end(struct run *run, struct object *stdev)
{
	struct world *world = run->world;

	for (unsigned int i = 0; i < ARRAY_SIZE(stdev->pasids); i++)
		leave(&stdev->pasids[i]);
	leave(&stdev->hwpt);
	for (unsigned int i = 0; i < world->nr_objects; i++)
		if (is(world->objects[i], VDEVICE) &&
		    world->objects[i]->device == stdev->device)
			object_end(world->objects[i]);
	if (stdev->device)
		object_end(stdev->device);
	object_end(stdev);
}

void device_detach(struct run *run)
{
	struct object *stdev = right(run, STDEV);
	struct iommu_destroy cmd = {
		.size = sizeof(cmd),
		.id = id_of(run, stdev),
	};

	if (!stdev)
		return;
	if (options.common)
		pasids_detach(run->world, stdev);
	run->strict = true;
	call(run, IOMMU_DESTROY, &cmd);
	judged(run, "%s", name_of(stdev));
	if (!run->error && stdev->alive)
		stdev_end(run, stdev);
}

/* That of an IOMMU which the machine can't have. */
#ifdef __aarch64__
#define FOREIGN_TYPE IOMMU_HW_INFO_TYPE_INTEL_VTD
#else
#define FOREIGN_TYPE IOMMU_HW_INFO_TYPE_ARM_SMMUV3
#endif

void device_info(struct run *run)
{
	static const uint32_t types[] = { 0, 0, IOMMU_HW_INFO_TYPE_SELFTEST,
					  FOREIGN_TYPE };
	struct iommu_test_hw_info info = {};
	struct object *idev = pick(run, IDEV);
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = id_of(run, idev),
		.data_len = below(&run->rng, 2) * sizeof(info),
		.data_uptr = (uintptr_t)&info,
	};
	uint32_t type = types[below(&run->rng, ARRAY_SIZE(types))];

	if (type) {
		cmd.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE;
		cmd.in_data_type = type;
	}
	wants_object(run, idev, IDEV);
	must(run,
	     type && (type != IOMMU_HW_INFO_TYPE_SELFTEST || options.device),
	     EOPNOTSUPP);
	call(run, IOMMU_GET_HW_INFO, &cmd);
	judged(run, "%s type %#x", name_of(idev), type);
	if (!run->error)
		said(run, "type %#x length %u pasids %u capabilities %#llx",
		     cmd.out_data_type, cmd.data_len, cmd.out_max_pasid_log2,
		     (unsigned long long)cmd.out_capabilities);
}

static bool has_attached(struct run *run, const struct object *stdev)
{
	(void)run;
	for (unsigned int i = 0; i < ARRAY_SIZE(stdev->pasids); i++)
		if (stdev->pasids[i])
			return true;
	return false;
}

/* The index of a PASID, mostly of one that is attached. */
static unsigned int some_attached(struct run *run, const struct object *stdev)
{
	unsigned int index = below(&run->rng, ARRAY_SIZE(pasids));

	for (unsigned int i = 0; is(stdev, STDEV) && i < ARRAY_SIZE(pasids) &&
				 !stdev->pasids[index] && !chance(&run->rng, 5);
	     i++)
		index = (index + 1) % ARRAY_SIZE(pasids);
	return index;
}

void pasid_attach(struct run *run)
{
	struct object *stdev = prefer(run, STDEV, has_pasids);
	struct object *target = chance(&run->rng, 80) ?
					prefer(run, HWPT, is_for_pasids) :
					some_target(run);
	unsigned int i = below(&run->rng, ARRAY_SIZE(pasids));
	struct iommu_test_cmd cmd = {
		.pasid_attach = {
			.pasid = pasids[i],
			.pt_id = id_of(run, target),
		},
	};

	/*
	 * Which devices and page tables support PASIDs is compared, not
	 * predicted.
	 */
	any(run);
	mock(run, &cmd, IOMMU_TEST_OP_PASID_ATTACH, id_of(run, stdev));
	judged(run, "%s pasid %u to %s", name_of(stdev), pasids[i],
	       name_of(target));
	if (run->error || !is(stdev, STDEV) || !target)
		return;
	check(run, !stdev->pasids[i], "attached a PASID twice");
	enter(&stdev->pasids[i], reached(run, target, cmd.pasid_attach.pt_id));
}

void pasid_replace(struct run *run)
{
	struct object *stdev = prefer(run, STDEV, has_attached);
	struct object *target = chance(&run->rng, 80) ?
					prefer(run, HWPT, is_for_pasids) :
					some_target(run);
	unsigned int i = some_attached(run, stdev);
	struct iommu_test_cmd cmd = {
		.pasid_replace = {
			.pasid = pasids[i],
			.pt_id = id_of(run, target),
		},
	};

	any(run);
	mock(run, &cmd, IOMMU_TEST_OP_PASID_REPLACE, id_of(run, stdev));
	judged(run, "%s pasid %u to %s", name_of(stdev), pasids[i],
	       name_of(target));
	if (run->error || !is(stdev, STDEV) || !target)
		return;
	check(run, stdev->pasids[i], "moved a PASID that is not attached");
	enter(&stdev->pasids[i], reached(run, target, cmd.pasid_replace.pt_id));
}

void pasid_detach(struct run *run)
{
	struct object *stdev = prefer(run, STDEV, has_attached);
	unsigned int i = some_attached(run, stdev);
	struct iommu_test_cmd cmd = { .pasid_detach.pasid = pasids[i] };
	struct iommu_test_cmd check_cmd = { .pasid_check.pasid = pasids[i] };

	wants_object(run, stdev, STDEV);
	run->strict = true;
	mock(run, &cmd, IOMMU_TEST_OP_PASID_DETACH, id_of(run, stdev));
	judged(run, "%s pasid %u", name_of(stdev), pasids[i]);
	if (run->error || !is(stdev, STDEV))
		return;
	leave(&stdev->pasids[i]);
	mock(run, &check_cmd, IOMMU_TEST_OP_PASID_CHECK_HWPT, stdev->id);
	said(run, "checked: %d", run->error);
	check(run, !run->error || run->injected, "a PASID is still attached");
}
