// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ioctls of VFIO's type1, which go to the IOAS that a context has chosen
 * for them.
 */

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#include "fuzz.h"

static struct object *compat(struct run *run)
{
	struct object *ioas = run->world->compat;

	must(run, !is(ioas, IOAS), ENODEV);
	return is(ioas, IOAS) ? ioas : NULL;
}

void vfio_ioas(struct run *run)
{
	struct world *world = run->world;
	struct object *ioas = pick(run, IOAS);
	struct iommu_vfio_ioas cmd = {
		.size = sizeof(cmd),
		.ioas_id = id_of(run, ioas),
		.op = below(&run->rng, chance(&run->rng, 5) ? 5 : 3),
	};

	if (chance(&run->rng, 60))
		cmd.op = IOMMU_VFIO_IOAS_SET;
	if (cmd.op == IOMMU_VFIO_IOAS_SET)
		wants_object(run, ioas, IOAS);
	must(run, cmd.op == IOMMU_VFIO_IOAS_GET && !is(world->compat, IOAS),
	     ENODEV);
	must(run, cmd.op > IOMMU_VFIO_IOAS_CLEAR, EOPNOTSUPP);
	call(run, IOMMU_VFIO_IOAS, &cmd);
	judged(run, "op %u %s", cmd.op, name_of(ioas));
	if (run->error)
		return;
	if (cmd.op == IOMMU_VFIO_IOAS_SET)
		world->compat = ioas;
	else if (cmd.op == IOMMU_VFIO_IOAS_CLEAR)
		world->compat = NULL;
	else if (is(world->compat, IOAS))
		check(run, cmd.ioas_id == world->compat->id,
		      "type1 has another IOAS");
}

void type1_map(struct run *run)
{
	struct object *ioas = compat(run);
	unsigned int index = some_memory(run, false);
	const struct memory *memory = &run->world->memories[index];
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = 1 + below(&run->rng, 3),
		.iova = some_iova(run, ioas),
	};
	uint64_t first, last;

	if (!memory->address)
		return;
	first = below(&run->rng, memory->pages);
	cmd.vaddr = (uintptr_t)memory->address + first * PAGE;
	cmd.size = (1 + below(&run->rng, memory->pages - first)) * PAGE;
	last = cmd.iova + (cmd.size - 1);
	must(run, last < cmd.iova, EOVERFLOW);
	may(run, last < cmd.iova, EINVAL);
	if (ioas && !run->want.nr_must) {
		bool write = cmd.flags & VFIO_DMA_MAP_FLAG_WRITE;
		bool bad = memory_bad(run->world, index, first * PAGE, cmd.size,
				      write);

		if (ioas->space->nr_areas > MOST_AREAS - 16)
			return;
		ioas_refresh(run, ioas);
		must(run, (cmd.iova | cmd.size) & (ioas->space->alignment - 1),
		     EINVAL);
		must(run, !space_usable(ioas->space, cmd.iova, last), EINVAL);
		must(run, space_first(ioas->space, cmd.iova, last), EEXIST);
		must(run, bad && hwpts_on(run, ioas), EFAULT);
	}
	call(run, VFIO_IOMMU_MAP_DMA, &cmd);
	judged(run, "%s+%#llx %#llx @%#llx flags %u", memory_name(index),
	       (unsigned long long)first * PAGE, (unsigned long long)cmd.size,
	       (unsigned long long)cmd.iova, cmd.flags);
	if (run->error || !ioas)
		return;
	space_add(ioas->space,
		  (struct area){
			  .iova = cmd.iova,
			  .length = cmd.size,
			  .memory = index,
			  .offset = first * PAGE,
			  .pages = ++run->world->nr_pages | PAGES_OF_VA,
			  .writable = cmd.flags & VFIO_DMA_MAP_FLAG_WRITE,
			  .prot = (cmd.flags & VFIO_DMA_MAP_FLAG_READ ?
					   IOMMU_IOAS_MAP_READABLE :
					   0) |
				  (cmd.flags & VFIO_DMA_MAP_FLAG_WRITE ?
					   IOMMU_IOAS_MAP_WRITEABLE :
					   0),
		  });
}

/* An unmap revokes the pins that a driver has there. */
static void unpinned(struct run *run, const struct object *ioas, uint64_t iova,
		     uint64_t last)
{
	for (unsigned int i = 0; i < run->world->nr_objects; i++) {
		struct object *access = run->world->objects[i];

		for (unsigned int p = 0; is(access, ACCESS) &&
					 access->on[0] == ioas && p < MOST_PINS;
		     p++)
			if (access->pinned[p].iova <= last &&
			    iova <= access->pinned[p].iova +
					    (access->pinned[p].length - 1))
				access->pinned[p].id = 0;
	}
}

/*
 * Where parts can be unmapped, a driver with pins in the area may prevent that.
 */
static void wants_cut(struct run *run, struct object *ioas, uint64_t iova,
		      uint64_t last)
{
	bool cuts = space_cuts(ioas->space, iova, last);
	bool aligned = !((iova | (last + 1)) & (PAGE - 1));

	must(run, space_fixed(ioas->space, iova, last), EBUSY);
	if (!cuts)
		return;
	must(run, !ioas->space->small_pages || !aligned, EINVAL);
	may(run, ioas->space->small_pages, EBUSY);
	may(run, ioas->space->small_pages, EINVAL);
	may(run, !ioas->space->small_pages, ENOENT);
}

void type1_unmap(struct run *run)
{
	struct object *ioas = compat(run);
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.iova = some_iova(run, ioas),
		.size = (1 + below(&run->rng, 32)) * PAGE,
	};
	uint64_t iova = cmd.iova, last = iova + (cmd.size - 1), want;

	if (chance(&run->rng, 10)) {
		cmd.flags = VFIO_DMA_UNMAP_FLAG_ALL;
		cmd.iova = cmd.size = iova = 0;
		last = UINT64_MAX;
	}
	if (ioas && options.common &&
	    (space_cuts(ioas->space, iova, last) ||
	     space_fixed(ioas->space, iova, last)))
		return;
	must(run, last < iova, EOVERFLOW);
	if (ioas && !run->want.nr_must)
		wants_cut(run, ioas, iova, last);
	call(run, VFIO_IOMMU_UNMAP_DMA, &cmd);
	judged(run, "@%#llx..%#llx", (unsigned long long)iova,
	       (unsigned long long)last);
	if (run->error || !ioas)
		return;
	said(run, "%#llx", (unsigned long long)cmd.size);
	want = space_remove(ioas->space, iova, last);
	check(run, want == cmd.size, "unmapped another length");
	unpinned(run, ioas, iova, last);
}

static void type1_info(struct run *run)
{
	char data[4096] = "";
	struct vfio_iommu_type1_info *info = (void *)data;

	info->argsz = below(&run->rng, sizeof(data));
	compat(run);
	must(run, info->argsz < 16, EINVAL);
	call(run, VFIO_IOMMU_GET_INFO, data);
	judged(run, "info");
	if (!run->error)
		said(run, "flags %u sizes %#llx", info->flags,
		     (unsigned long long)info->iova_pgsizes);
}

static void type1_set(struct run *run)
{
	static const unsigned long types[] = { VFIO_TYPE1_IOMMU,
					       VFIO_TYPE1v2_IOMMU, 99 };
	unsigned long type = types[below(&run->rng, 3)];
	struct object *ioas = compat(run);

	must(run, type == 99, EINVAL);
	if (type == VFIO_TYPE1_IOMMU) {
		may(run, true, EINVAL);
		may(run, true, EADDRINUSE);
	}
	call(run, VFIO_SET_IOMMU, (void *)type);
	judged(run, "set %lu", type);
	if (!run->error && ioas && type == VFIO_TYPE1_IOMMU)
		ioas->space->small_pages = true;
}

void type1_ask(struct run *run)
{
	unsigned long extension = below(&run->rng, 16);
	int ret;

	switch (below(&run->rng, 4)) {
	case 0:
		type1_info(run);
		return;
	case 1:
		type1_set(run);
		return;
	case 2:
		must(run,
		     extension == VFIO_DMA_CC_IOMMU &&
			     !is(run->world->compat, IOAS),
		     ENODEV);
		ret = call(run, VFIO_CHECK_EXTENSION, (void *)extension);
		judged(run, "extension %lu: %d", extension, ret);
		return;
	default:
		any(run);
		call(run, VFIO_IOMMU_DIRTY_PAGES, NULL);
		judged(run, "dirty pages");
	}
}
