// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Page tables by name, of an IOAS or of a guest, and dirty pages. */

#include <errno.h>
#include <string.h>

#include "fuzz.h"

/* The features of a device are compared between kernels, not predicted. */
void hwpt_alloc(struct run *run)
{
	static const uint32_t choice[] = {
		0,
		0,
		IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
		IOMMU_HWPT_ALLOC_NEST_PARENT,
		IOMMU_HWPT_ALLOC_NEST_PARENT,
		IOMMU_HWPT_ALLOC_PASID,
		IOMMU_HWPT_ALLOC_PASID,
		IOMMU_HWPT_ALLOC_PASID,
		IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
		IOMMU_HWPT_FAULT_ID_VALID,
	};
	struct object *ioas = pick(run, IOAS);
	struct object *idev = prefer(run, IDEV, has_pasids);
	struct object *fault = NULL, *hwpt;
	struct iommu_hwpt_selftest data = {
		.pagetable_type = MOCK_IOMMUPT_HUGE,
	};
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = choice[below(&run->rng, ARRAY_SIZE(choice))],
		.dev_id = id_of(run, idev),
		.pt_id = id_of(run, ioas),
	};

	if (chance(&run->rng, 3))
		cmd.flags = below(&run->rng, 32);
	if (cmd.flags & IOMMU_HWPT_FAULT_ID_VALID) {
		fault = pick(run, FAULT);
		cmd.fault_id = id_of(run, fault);
	}
	if (chance(&run->rng, 15) && !options.device) {
		cmd.data_type = IOMMU_HWPT_DATA_SELFTEST;
		cmd.data_len = sizeof(data);
		cmd.data_uptr = (uintptr_t)&data;
	}
	any(run);
	if ((cmd.flags > 15) + !is(ioas, IOAS) + !is(idev, IDEV) > 1)
		vague(run);
	call(run, IOMMU_HWPT_ALLOC, &cmd);
	judged(run, "%s for %s flags %u type %#x %s", name_of(ioas),
	       name_of(idev), cmd.flags, cmd.data_type,
	       fault ? name_of(fault) : "");
	if (run->error || !ioas || !idev)
		return;
	check(run, is(idev, IDEV), "a page table for no device");
	/* A page table may be requested on another one by mistake. */
	hwpt = object_add(run, is(ioas, IOAS) ? HWPT : NESTED, cmd.out_hwpt_id);
	hwpt->flags = cmd.flags;
	hwpt->huge = cmd.data_type;
	object_depend(hwpt, ioas);
	object_depend(hwpt, fault);
}

void nested_alloc(struct run *run)
{
	static const enum kind kinds[] = { HWPT, VIOMMU, VIOMMU };
	enum kind kind = kinds[below(&run->rng, ARRAY_SIZE(kinds))];
	struct object *parent = kind == HWPT || !right(run, VIOMMU) ?
					prefer(run, HWPT, is_parent) :
					pick(run, kind);
	struct object *idev = pick(run, IDEV), *fault = NULL, *hwpt;
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = id_of(run, idev),
		.pt_id = id_of(run, parent),
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
	};

	if (chance(&run->rng, 40)) {
		fault = pick(run, FAULT);
		cmd.flags = IOMMU_HWPT_FAULT_ID_VALID;
		cmd.fault_id = id_of(run, fault);
	}
	if (chance(&run->rng, 10))
		cmd.flags |= IOMMU_HWPT_ALLOC_PASID;
	any(run);
	call(run, IOMMU_HWPT_ALLOC, &cmd);
	judged(run, "on %s for %s flags %u %s", name_of(parent), name_of(idev),
	       cmd.flags, fault ? name_of(fault) : "");
	if (run->error || !parent)
		return;
	hwpt = object_add(run, is(parent, IOAS) ? HWPT : NESTED,
			  cmd.out_hwpt_id);
	hwpt->flags = cmd.flags;
	object_depend(hwpt, parent);
	object_depend(hwpt, fault);
}

/*
 * Some entries are valid, some are not: the kernel reports how many were
 * handled.
 */
void invalidate(struct run *run)
{
	static const enum kind kinds[] = { NESTED, NESTED, VIOMMU, HWPT };
	struct object *target = pick_of(run, kinds, ARRAY_SIZE(kinds));
	bool viommu = is(target, VIOMMU);
	struct iommu_viommu_invalidate_selftest entries[4] = {};
	struct iommu_hwpt_invalidate_selftest *own = (void *)entries;
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = id_of(run, target),
		.data_uptr = (uintptr_t)entries,
		.data_type = viommu ? IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST :
				      IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
		.entry_len = viommu ? sizeof(*entries) : sizeof(*own),
		.entry_num = below(&run->rng, 5),
	};
	unsigned int asked = cmd.entry_num;

	if (chance(&run->rng, 5))
		cmd.data_type = below(&run->rng, 3);
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t flags = below(&run->rng, chance(&run->rng, 5) ? 4 : 2);
		uint32_t index =
			below(&run->rng, chance(&run->rng, 10) ? 8 : 4);

		if (viommu)
			entries[i] = (struct iommu_viommu_invalidate_selftest){
				flags, below(&run->rng, 4), index
			};
		else
			own[i] = (struct iommu_hwpt_invalidate_selftest){
				flags, index
			};
	}
	any(run);
	call(run, IOMMU_HWPT_INVALIDATE, &cmd);
	judged(run, "%s type %#x", name_of(target), cmd.data_type);
	said(run, "%u of %u", cmd.entry_num, asked);
	check(run, cmd.entry_num <= asked, "handled more than there were");
}

static bool tracks(const struct object *hwpt)
{
	return is(hwpt, HWPT) && hwpt->flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
}

void dirty_set(struct run *run)
{
	struct object *hwpt = prefer(run, HWPT, tracks_dirty);
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd),
		.flags = below(&run->rng, chance(&run->rng, 5) ? 3 : 2),
		.hwpt_id = id_of(run, hwpt),
	};

	wants_object(run, hwpt, HWPT);
	must(run, cmd.flags > 1, EOPNOTSUPP);
	must(run, is(hwpt, HWPT) && !tracks(hwpt), EOPNOTSUPP);
	may(run, !tracks(hwpt), EINVAL);
	call(run, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd);
	judged(run, "%s %u", name_of(hwpt), cmd.flags);
}

static void some_range(struct run *run, struct object *hwpt, uint64_t *iova,
		       uint64_t *length)
{
	struct object *ioas = is(hwpt, HWPT) ? hwpt->on[0] : NULL;
	struct area *area;

	*iova = some_iova(run, ioas) & ~(PAGE - 1);
	*length = (1 + below(&run->rng, 64)) * PAGE;
	if (!is(ioas, IOAS) || !ioas->space->nr_areas || chance(&run->rng, 20))
		return;
	area = &ioas->space->areas[below(&run->rng, ioas->space->nr_areas)];
	*iova = area->iova;
	*length = area->length;
}

/* A device writes. The mock looks only at its page table. */
void dirty_mark(struct run *run)
{
	struct object *hwpt = prefer(run, HWPT, tracks_dirty);
	uint64_t bitmap[16], iova, length;
	struct iommu_test_cmd cmd = {};

	some_range(run, hwpt, &iova, &length);
	if (length / PAGE > 8 * sizeof(bitmap) || length % PAGE)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(bitmap); i++)
		bitmap[i] = rnd(&run->rng);
	cmd.dirty.iova = iova;
	cmd.dirty.length = length;
	cmd.dirty.page_size = PAGE;
	cmd.dirty.uptr = (uintptr_t)bitmap;
	any(run);
	vague(run);
	mock(run, &cmd, IOMMU_TEST_OP_DIRTY, id_of(run, hwpt));
	judged(run, "%s @%#llx %#llx", name_of(hwpt), (unsigned long long)iova,
	       (unsigned long long)length);
}

static bool covered(struct object *hwpt, uint64_t iova, uint64_t length)
{
	return is(hwpt, HWPT) && is(hwpt->on[0], IOAS) &&
	       space_covered(hwpt->on[0]->space, iova, iova + (length - 1));
}

void dirty_get(struct run *run)
{
	struct object *hwpt = prefer(run, HWPT, tracks_dirty);
	uint64_t bitmap[64] = {}, iova, length;
	struct iommu_hwpt_get_dirty_bitmap cmd = { .size = sizeof(cmd) };
	unsigned int bits = 0;

	some_range(run, hwpt, &iova, &length);
	/* Our kernel continues after a hole. */
	if (length / PAGE > 8 * sizeof(bitmap) ||
	    (options.common && !covered(hwpt, iova, length)))
		return;
	cmd.hwpt_id = id_of(run, hwpt);
	cmd.flags = below(&run->rng, chance(&run->rng, 5) ? 3 : 2);
	cmd.iova = iova;
	cmd.length = length;
	cmd.page_size = PAGE << (chance(&run->rng, 10) ? 1 : 0);
	cmd.data = (uintptr_t)bitmap;
	any(run);
	vague(run);
	call(run, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
	judged(run, "%s @%#llx %#llx flags %u page %llu", name_of(hwpt),
	       (unsigned long long)iova, (unsigned long long)length, cmd.flags,
	       (unsigned long long)cmd.page_size);
	if (run->error)
		return;
	check(run, tracks(hwpt), "a bitmap of what is not tracked");
	for (unsigned int i = 0; i < ARRAY_SIZE(bitmap); i++)
		bits += __builtin_popcountll(bitmap[i]);
	said(run, "%u bits", bits);
}
