// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* dma-bufs, disturbances, checks of the whole state, and random bytes. */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* The base kernel's mock opens a descriptor and does not return it. */
static int newest_dmabuf(struct world *world)
{
	char path[64], link[64];

	for (int fd = 3; fd < 256; fd++) {
		bool known = false;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = 0;
		for (unsigned int i = FIXED_MEMORIES; i < MEMORIES; i++)
			known = known || (world->memories[i].pages &&
					  world->memories[i].fd == fd);
		if (!known && strstr(link, "dmabuf"))
			return fd;
	}
	return -1;
}

void dmabuf_get(struct run *run)
{
	unsigned int pages = 1 + below(&run->rng, 16);
	struct iommu_test_cmd cmd = {
		.dmabuf_get = {
			.length = pages * PAGE,
			.open_flags = O_CLOEXEC | O_RDWR,
		},
	};
	struct world *world = run->world;
	int fd;

	if (world->memories[MEMORIES - 1].pages)
		return;
	fd = mock(run, &cmd, IOMMU_TEST_OP_DMABUF_GET, 0);
	judged(run, "%u pages", pages);
	if (run->error)
		return;
	if (!fd)
		fd = newest_dmabuf(world);
	if (fd >= 0)
		memory_new_dmabuf(world, fd, pages);
}

/* Its mappings no longer lead anywhere, even when it is restored. */
static void take_back(struct world *world, unsigned int memory)
{
	for (unsigned int i = 0; i < world->nr_objects; i++) {
		struct object *ioas = world->objects[i];

		for (unsigned int a = 0;
		     is(ioas, IOAS) && a < ioas->space->nr_areas; a++)
			if (ioas->space->areas[a].memory == memory)
				ioas->space->areas[a].dead = true;
	}
}

void dmabuf_revoke(struct run *run)
{
	struct world *world = run->world;
	unsigned int i = FIXED_MEMORIES + below(&run->rng, DMA_BUFS);
	struct iommu_test_cmd cmd = {};

	if (!world->memories[i].pages)
		return;
	cmd.dmabuf_revoke.dmabuf_fd = world->memories[i].fd;
	cmd.dmabuf_revoke.revoked = chance(&run->rng, 60);
	mock(run, &cmd, IOMMU_TEST_OP_DMABUF_REVOKE, 0);
	judged(run, "%s %u", memory_name(i), cmd.dmabuf_revoke.revoked);
	if (run->error)
		return;
	world->memories[i].revoked = cmd.dmabuf_revoke.revoked;
	if (cmd.dmabuf_revoke.revoked)
		take_back(world, i);
}

/*
 * Small batches, to cross their boundaries; the end of a sequence restores the
 * limit.
 */
void memory_limit(struct run *run)
{
	static const uint32_t limits[] = { 65536, 16, 8, 1024, PAGE };
	struct iommu_test_cmd cmd = {
		.memory_limit.limit =
			limits[below(&run->rng, ARRAY_SIZE(limits))],
	};

	if (options.common && cmd.memory_limit.limit < 16)
		return;
	mock(run, &cmd, IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT, 0);
	judged(run, "%u", cmd.memory_limit.limit);
}

/*
 * Memory disappears under mappings. The results are then unknown: in concurrent
 * sequences only.
 */
void disturb(struct run *run)
{
	struct memory *memory =
		&run->world->memories[below(&run->rng, FIXED_MEMORIES)];
	uint64_t first, pages;
	char *address;

	if (!run->world->wild || !memory->address || memory->huge)
		return;
	first = below(&run->rng, memory->pages);
	pages = 1 + below(&run->rng, memory->pages - first);
	address = memory->address + first * PAGE;
	unlocked(run);
	switch (below(&run->rng, 3)) {
	case 0:
		madvise(address, pages * PAGE, MADV_DONTNEED);
		break;
	case 1:
		mprotect(address, pages * PAGE, PROT_NONE);
		mprotect(address, pages * PAGE, PROT_READ | PROT_WRITE);
		break;
	default:
		if (memory->source == MEMFD)
			fallocate(memory->fd,
				  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  first * PAGE, pages * PAGE);
	}
	locked(run);
	run->error = 0;
	judged(run, "%s", "");
}

/* A page table leads to the mapped memory, and to nothing elsewhere. */
void check_map(struct run *run)
{
	struct object *hwpt = right(run, HWPT);
	struct object *ioas = hwpt ? hwpt->on[0] : NULL;
	struct iommu_test_cmd cmd = {};
	const struct memory *memory;
	struct area *area;

	if (!is(ioas, IOAS) || !ioas->space->nr_areas || options.device ||
	    run->world->wild)
		return;
	area = &ioas->space->areas[below(&run->rng, ioas->space->nr_areas)];
	memory = &run->world->memories[area->memory];
	if ((area->iova | area->length | area->offset) % MOCK_PAGE_SIZE)
		return;
	cmd.check_map.iova = area->iova;
	cmd.check_map.length = area->length;
	/* The peer looks for memory in any case. */
	if (chance(&run->rng, 20) && !options.common) {
		cmd.check_map.iova += area->length;
		if (space_first(ioas->space, cmd.check_map.iova,
				cmd.check_map.iova + (area->length - 1)))
			return;
	} else if (memory->address) {
		cmd.check_map.uptr = (uintptr_t)memory->address + area->offset;
	} else if (!area->dead || options.common) {
		return;
	}
	mock(run, &cmd, IOMMU_TEST_OP_MD_CHECK_MAP, hwpt->id);
	judged(run, "%s @%#llx", name_of(hwpt),
	       (unsigned long long)cmd.check_map.iova);
}

static bool held(struct run *run, struct object *ioas, uint64_t iova)
{
	struct world *world = run->world;

	for (unsigned int i = 0; i < world->nr_objects; i++) {
		struct object *access = world->objects[i];

		for (unsigned int p = 0; is(access, ACCESS) &&
					 access->on[0] == ioas && p < MOST_PINS;
		     p++)
			if (access->pinned[p].id &&
			    access->pinned[p].iova <= iova + (PAGE - 1) &&
			    iova <= access->pinned[p].iova +
					    (access->pinned[p].length - 1))
				return true;
	}
	return false;
}

/* The number of pins of a page: one for each array of pages in use there. */
static unsigned int pins_of(struct run *run, unsigned int memory, uint64_t page)
{
	unsigned int ids[MOST_AREAS], n = 0;
	struct world *world = run->world;

	for (unsigned int i = 0; i < world->nr_objects; i++) {
		struct object *ioas = world->objects[i];

		for (unsigned int a = 0;
		     is(ioas, IOAS) && a < ioas->space->nr_areas; a++) {
			struct area *area = &ioas->space->areas[a];
			uint64_t first = area->offset / PAGE;
			uint64_t last =
				(area->offset + area->length - 1) / PAGE;
			bool known = false;

			if ((area->memory == READ_FD ? FILE_ : area->memory) !=
				    memory ||
			    page < first || page > last)
				continue;
			if (!hwpts_on(run, ioas) &&
			    !held(run, ioas,
				  area->iova + (page - first) * PAGE))
				continue;
			for (unsigned int k = 0; k < n; k++)
				known = known || ids[k] == area->pages;
			if (!known && n < MOST_AREAS)
				ids[n++] = area->pages;
		}
	}
	return n;
}

void check_refs(struct run *run)
{
	unsigned int memory = chance(&run->rng, 50) ? ANON : FILE_;
	struct memory *m = &run->world->memories[memory];
	uint64_t page = below(&run->rng, m->pages);
	struct iommu_test_cmd cmd = {
		.check_refs = {
			.length = PAGE,
			.uptr = (uintptr_t)m->address + page * PAGE,
			.refs = pins_of(run, memory, page),
		},
	};

	if (run->world->wild)
		return;
	mock(run, &cmd, IOMMU_TEST_OP_MD_CHECK_REFS, 0);
	judged(run, "%s page %llu %u times", memory_name(memory),
	       (unsigned long long)page, cmd.check_refs.refs);
}

/*
 * Any content. Effects would be unknown, so it only names objects that do not
 * exist.
 */
void raw(struct run *run)
{
	uint32_t data[64];
	unsigned int nr = 0x80 + below(&run->rng, 0x18);
	size_t size = below(&run->rng, sizeof(data));
	static const uint64_t pointers[] = { 0, 8, 0xffff888000000000ULL,
					     0x7ffffffff000ULL };
	void *argument = data;

	/* No test operation, and no map of a random pointer. */
	if (nr == 0xa0 || nr == IOMMUFD_CMD_IOAS_ALLOC ||
	    nr == IOMMUFD_CMD_FAULT_QUEUE_ALLOC ||
	    nr == IOMMUFD_CMD_VFIO_IOAS || nr == IOMMUFD_CMD_OPTION ||
	    nr == IOMMUFD_CMD_IOAS_CHANGE_PROCESS)
		size = below(&run->rng, 8);
	for (unsigned int i = 0; i < ARRAY_SIZE(data); i++)
		data[i] = chance(&run->rng, 50) ? 0 : rnd(&run->rng);
	data[0] = size;
	if (chance(&run->rng, 20))
		argument = (void *)pointers[below(&run->rng, 4)];
	else if (chance(&run->rng, 10))
		data[0] = rnd(&run->rng);
	/* Ids of existing objects. */
	data[1] |= 1u << 31;
	if (size >= 12)
		data[2] |= 1u << 31;
	any(run);
	vague(run);
	call(run, _IO(IOMMUFD_TYPE, nr), argument);
	judged(run, "%#x size %u", nr, argument == data ? data[0] : 0);
	/* With such ids, almost every request fails. */
	check(run,
	      run->error || run->injected || size < 8 ||
		      nr == IOMMUFD_CMD_IOAS_ALLOC,
	      "rubbish was taken");
}
