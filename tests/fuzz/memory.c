// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All kinds of memory to map for DMA, valid and invalid. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static const char *const names[FIXED_MEMORIES] = {
	"anon", "file", "readonly", "hole", "huge", "sealed", "readfd",
};

const char *memory_name(unsigned int memory)
{
	static __thread char name[24];

	if (memory < FIXED_MEMORIES)
		return names[memory];
	snprintf(name, sizeof(name), "dmabuf%u", memory - FIXED_MEMORIES);
	return name;
}

static void fill(struct memory *memory)
{
	for (size_t i = 0; i < memory->pages * PAGE; i += sizeof(uint64_t))
		*(uint64_t *)(memory->address + i) =
			i * 0x9e3779b97f4a7c15ULL + memory->pages;
}

static void get(struct memory *memory, int flags)
{
	memory->address = mmap(NULL, memory->pages * PAGE,
			       PROT_READ | PROT_WRITE, flags, memory->fd, 0);
	if (memory->address == MAP_FAILED) {
		memory->address = NULL;
		memory->pages = 0;
		return;
	}
	/* Keeps pages small, whatever the kernel's defaults. */
	if (!memory->huge)
		madvise(memory->address, memory->pages * PAGE, MADV_NOHUGEPAGE);
	fill(memory);
}

static int memfd(const struct memory *memory, unsigned int flags)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | flags);

	if (fd >= 0 && ftruncate(fd, memory->pages * PAGE))
		abort();
	return fd;
}

static struct memory anonymous(unsigned int pages)
{
	struct memory memory = {
		.fd = -1,
		.pages = pages,
		.writable = true,
	};

	get(&memory, MAP_PRIVATE | MAP_ANONYMOUS);
	return memory;
}

static struct memory file(unsigned int pages, unsigned int flags)
{
	struct memory memory = {
		.pages = pages,
		.source = MEMFD,
		.writable = true,
		.huge = flags & MFD_HUGETLB,
	};

	memory.fd = memfd(&memory, flags);
	get(&memory, MAP_SHARED);
	return memory;
}

void memories_open(struct world *world)
{
	struct memory *memories = world->memories;
	char path[32];

	memories[ANON] = anonymous(64);
	memories[FILE_] = file(64, 0);
	memories[READONLY] = anonymous(16);
	memories[READONLY].writable = false;
	mprotect(memories[READONLY].address, 16 * PAGE, PROT_READ);
	memories[HOLE] = anonymous(8);
	memories[HOLE].hole = 4;
	memories[HOLE].hole_end = 6;
	mprotect(memories[HOLE].address + 4 * PAGE, 2 * PAGE, PROT_NONE);
	/*
	 * Most sequences do without: clearing a huge page takes as long as
	 * everything else.
	 */
	if (world->seed % 8 == 0)
		memories[HUGE_] = file(HUGE / PAGE, MFD_HUGETLB);
	memories[SEALED] = file(16, MFD_ALLOW_SEALING);
	memories[SEALED].writable = false;
	mprotect(memories[SEALED].address, 16 * PAGE, PROT_READ);
	munmap(memories[SEALED].address, 16 * PAGE);
	fcntl(memories[SEALED].fd, F_ADD_SEALS, F_SEAL_WRITE);
	memories[SEALED].address = mmap(NULL, 16 * PAGE, PROT_READ, MAP_SHARED,
					memories[SEALED].fd, 0);
	memories[READ_FD] = memories[FILE_];
	memories[READ_FD].address = NULL;
	memories[READ_FD].writable = false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memories[FILE_].fd);
	memories[READ_FD].fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* A slot for one more dma-buf, or -1. */
int memory_new_dmabuf(struct world *world, int fd, unsigned int pages)
{
	for (unsigned int i = FIXED_MEMORIES; i < MEMORIES; i++) {
		if (world->memories[i].pages)
			continue;
		world->memories[i] = (struct memory){
			.fd = fd,
			.pages = pages,
			.source = DMABUF,
			.writable = true,
		};
		return i;
	}
	return -1;
}

/*
 * A memory with a descriptor or an address; mostly one that can be mapped in
 * any way.
 */
unsigned int some_memory(struct run *run, bool file)
{
	const struct memory *memories = run->world->memories;

	for (unsigned int tries = 0; tries < 8; tries++) {
		unsigned int i = below(&run->rng, MEMORIES);
		bool odd = i == READONLY || i == HOLE || i == SEALED ||
			   i == READ_FD;

		if (file ? memories[i].fd < 0 : !memories[i].address)
			continue;
		if (memories[i].pages && (!odd || wrong(run, 50)))
			return i;
	}
	return file ? FILE_ : ANON;
}

/* Whether a part of a memory cannot be pinned for this access. */
bool memory_bad(const struct world *world, unsigned int index, uint64_t offset,
		uint64_t length, bool write)
{
	const struct memory *memory = &world->memories[index];
	uint64_t first = offset / PAGE,
		 end = (offset + length + PAGE - 1) / PAGE;

	if (write && !memory->writable)
		return true;
	if (memory->revoked)
		return true;
	return first < memory->hole_end && memory->hole < end;
}
