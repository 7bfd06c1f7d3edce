// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Kernel drivers that access the memory of an IOAS with the CPU. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static bool unaligned(const struct space *space)
{
	for (unsigned int i = 0; i < space->nr_areas; i++) {
		const struct area *area = &space->areas[i];

		if ((area->iova | area->length | area->offset) % PAGE)
			return true;
	}
	return false;
}

void access_create(struct run *run)
{
	struct object *ioas = prefer(run, IOAS, has_areas), *access;
	bool pins = chance(&run->rng, 75);
	struct iommu_test_cmd cmd = {
		.create_access.flags =
			pins ? MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES : 0,
	};

	wants_object(run, ioas, IOAS);
	must(run, pins && is(ioas, IOAS) && unaligned(ioas->space), EADDRINUSE);
	mock(run, &cmd, IOMMU_TEST_OP_CREATE_ACCESS, id_of(run, ioas));
	judged(run, "%s%s", name_of(ioas), pins ? " to pin" : "");
	if (run->error || !ioas)
		return;
	access = object_add(run, ACCESS, 0);
	access->fd = cmd.create_access.out_access_fd;
	access->pins = pins;
	object_depend(access, ioas);
}

/*
 * An access and a range of its IOAS: a part of an area, a whole area, more, or
 * nothing.
 */
static struct object *some_access(struct run *run, uint64_t *iova,
				  uint64_t *length, struct area **area)
{
	struct object *access = right(run, ACCESS);
	struct object *ioas = access ? access->on[0] : NULL;

	*area = NULL;
	*iova = some_iova(run, ioas);
	*length = (1 + below(&run->rng, 8)) * PAGE;
	if (!is(ioas, IOAS) || !ioas->space->nr_areas || chance(&run->rng, 10))
		return access;
	*area = &ioas->space->areas[below(&run->rng, ioas->space->nr_areas)];
	*iova = (*area)->iova + below(&run->rng, (*area)->length) / PAGE * PAGE;
	if (*length > (*area)->length - (*iova - (*area)->iova) &&
	    chance(&run->rng, 80))
		*length = (*area)->length - (*iova - (*area)->iova);
	return access;
}

static bool allows(struct space *space, uint64_t iova, uint64_t last,
		   uint32_t prot)
{
	struct area *area;

	for (;;) {
		area = space_first(space, iova, iova);
		if (!area || !(area->prot & prot))
			return false;
		if (area->iova + (area->length - 1) >= last)
			return true;
		iova = area->iova + area->length;
	}
}

/* The CPU cannot access device memory, nor pages that do not exist. */
static void wants_memory(struct run *run, struct object *ioas, uint64_t iova,
			 uint64_t last, bool write)
{
	struct space *space = ioas->space;

	if (last < iova || !space_covered(space, iova, last)) {
		must(run, true, ENOENT);
		may(run, last < iova, EOVERFLOW);
		/* The kernel may find a problem with the mapped part first. */
		may(run, true, EPERM);
		may(run, true, EINVAL);
		may(run, true, EFAULT);
		return;
	}
	for (unsigned int i = 0; i < space->nr_areas; i++) {
		struct area *area = &space->areas[i];
		const struct memory *memory =
			&run->world->memories[area->memory];

		if (area->iova > last || area->iova + (area->length - 1) < iova)
			continue;
		must(run, memory->source == DMABUF, EINVAL);
		may(run,
		    memory_bad(run->world, area->memory, area->offset,
			       area->length, write || area->writable),
		    EFAULT);
	}
	must(run,
	     !allows(space, iova, last,
		     write ? IOMMU_IOAS_MAP_WRITEABLE :
			     IOMMU_IOAS_MAP_READABLE),
	     EPERM);
}

static struct pin *free_pin(struct object *access)
{
	for (unsigned int p = 0; p < MOST_PINS; p++)
		if (!access->pinned[p].id)
			return &access->pinned[p];
	return NULL;
}

void access_pin(struct run *run)
{
	struct area *area;
	uint64_t iova, length;
	struct object *access = some_access(run, &iova, &length, &area);
	bool write = chance(&run->rng, 50);
	struct iommu_test_cmd cmd = {};
	struct pin *pin;
	char *address;

	if (!access || !area)
		return;
	address = run->world->memories[area->memory].address;
	pin = free_pin(access);
	if (!pin || (!address && !options.device && area->memory != READ_FD))
		return;
	if (area->memory == READ_FD)
		address = run->world->memories[FILE_].address;
	cmd.access_pages.iova = iova;
	cmd.access_pages.length = length;
	cmd.access_pages.flags = write ? MOCK_FLAGS_ACCESS_WRITE : 0;
	cmd.access_pages.uptr =
		(uintptr_t)address + area->offset + (iova - area->iova);
	must(run, !access->pins, EINVAL);
	must(run, !length, EINVAL);
	must(run, (iova | length) % PAGE || area->offset % PAGE, EINVAL);
	if (!run->want.nr_must)
		wants_memory(run, access->on[0], iova, iova + (length - 1),
			     write);
	/* After the end of the area is other memory than the expected one. */
	may(run, length > area->length - (iova - area->iova), EINVAL);
	mock(run, &cmd, IOMMU_TEST_OP_ACCESS_PAGES, access->fd);
	judged(run, "%s @%#llx %#llx%s", name_of(access),
	       (unsigned long long)iova, (unsigned long long)length,
	       write ? " to write" : "");
	if (run->error || !access->alive)
		return;
	/* They count from 0. */
	pin->id = 1 + cmd.access_pages.out_access_pages_id;
	pin->iova = iova;
	pin->length = length;
}

void access_unpin(struct run *run)
{
	struct object *access = right(run, ACCESS);
	unsigned int p = below(&run->rng, MOST_PINS);
	struct iommu_test_cmd cmd = {};

	for (unsigned int i = 0; access && i < MOST_PINS; i++)
		if (access->pinned[i].id && !access->pinned[p].id)
			p = i;
	if (!access)
		return;
	cmd.destroy_access_pages.access_pages_id =
		access->pinned[p].id ? access->pinned[p].id - 1 : 0x7f000000;
	must(run, !access->pinned[p].id, ENOENT);
	run->strict = true;
	mock(run, &cmd, IOMMU_TEST_OP_DESTROY_ACCESS_PAGES, access->fd);
	judged(run, "%s %u", name_of(access), p);
	if (!run->error)
		access->pinned[p].id = 0;
}

/* The data read must match the memory. */
static bool same(struct run *run, const struct area *area, uint64_t iova,
		 const char *data, uint64_t length)
{
	const struct memory *memory = &run->world->memories[area->memory];
	uint64_t offset = area->offset + (iova - area->iova);

	if (!memory->address || length > area->length - (iova - area->iova) ||
	    memory_bad(run->world, area->memory, offset, length, false))
		return true;
	return !memcmp(data, memory->address + offset, length);
}

void access_rw(struct run *run)
{
	static __thread char data[8 * PAGE];
	struct area *area, copy = {};
	uint64_t iova, length;
	struct object *access = some_access(run, &iova, &length, &area);
	bool write = chance(&run->rng, 40);
	struct iommu_test_cmd cmd = {};

	if (!access)
		return;
	if (chance(&run->rng, 60)) {
		iova += below(&run->rng, PAGE);
		length = 1 + below(&run->rng, length);
	}
	cmd.access_rw.iova = iova;
	cmd.access_rw.length = length;
	cmd.access_rw.uptr = (uintptr_t)data;
	cmd.access_rw.flags =
		(write ? MOCK_ACCESS_RW_WRITE : 0) |
		(chance(&run->rng, 30) ? MOCK_ACCESS_RW_SLOW_PATH : 0);
	for (size_t i = 0; i < sizeof(data); i += PAGE)
		memset(data + i, below(&run->rng, 256), PAGE);
	if (is(access->on[0], IOAS))
		wants_memory(run, access->on[0], iova, iova + (length - 1),
			     write);
	if (area)
		copy = *area;
	mock(run, &cmd, IOMMU_TEST_OP_ACCESS_RW, access->fd);
	judged(run, "%s @%#llx %#llx%s flags %u", name_of(access),
	       (unsigned long long)iova, (unsigned long long)length,
	       write ? " write" : "", cmd.access_rw.flags);
	if (!run->error && area && !run->world->wild && iova >= copy.iova &&
	    iova - copy.iova < copy.length)
		check(run, same(run, &copy, iova, data, length),
		      write ? "wrote something else" : "read something else");
}

void access_replace(struct run *run)
{
	struct object *access = right(run, ACCESS), *ioas = pick(run, IOAS);
	struct iommu_test_cmd cmd = {
		.access_replace_ioas.ioas_id = id_of(run, ioas),
	};

	if (!access)
		return;
	wants_object(run, ioas, IOAS);
	must(run,
	     access->pins && is(ioas, IOAS) && access->on[0] != ioas &&
		     unaligned(ioas->space),
	     EADDRINUSE);
	mock(run, &cmd, IOMMU_TEST_OP_ACCESS_REPLACE_IOAS, access->fd);
	judged(run, "%s to %s", name_of(access), name_of(ioas));
	if (run->error || !access->alive || !ioas || access->on[0] == ioas)
		return;
	memset(access->pinned, 0, sizeof(access->pinned));
	object_undepend(access, access->on[0]);
	object_depend(access, ioas);
}

void access_close(struct run *run)
{
	struct object *access = right(run, ACCESS);

	if (!access || run->world->wild)
		return;
	run->error = close(access->fd) ? errno : 0;
	judged(run, "%s", name_of(access));
	object_end(access);
}
