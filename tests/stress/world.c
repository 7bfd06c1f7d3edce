// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The state that threads share, and the memory that they map. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stress.h"

void die(const char *what)
{
	perror(what);
	exit(1);
}

/* xorshift64* */
uint64_t below(struct worker *worker, uint64_t limit)
{
	uint64_t x = worker->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	worker->random = x;
	return (x * 0x2545f4914f6cdd1dULL >> 16) % limit;
}

unsigned int take(struct worker *worker, enum kind kind)
{
	return worker->context->ids[kind][below(worker, SLOTS)];
}

/* The old entry is destroyed, so that a context does not grow without limit. */
void put(struct worker *worker, enum kind kind, unsigned int id)
{
	struct context *context = worker->context;
	unsigned int old =
		atomic_exchange(&context->ids[kind][below(worker, SLOTS)], id);

	if (old && kind != IDEV)
		destroy(context->fd, old);
}

int command(int fd, struct iommu_test_cmd *cmd, unsigned int op,
	    unsigned int id)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return ioctl(fd, IOMMU_TEST_CMD, cmd);
}

int destroy(int fd, unsigned int id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return ioctl(fd, IOMMU_DESTROY, &cmd);
}

static void map_memory(struct memory *memory)
{
	memory->address = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
			       memory->flags, memory->file, 0);
	if (memory->address == MAP_FAILED)
		die("mmap");
	memset(memory->address, 0x5a, memory->size);
}

static int memory_file(size_t size, unsigned int flags)
{
	int fd = memfd_create("stress", MFD_CLOEXEC | flags);

	if (fd < 0 || ftruncate(fd, size))
		die("memfd");
	return fd;
}

void make_memory(struct world *world)
{
	const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
	struct memory memories[MEMORIES] = {
		{ .size = 64 * PAGE, .file = -1, .flags = anonymous },
		{ .size = HUGE, .file = -1, .flags = anonymous | MAP_HUGETLB },
		{ .size = 64 * PAGE, .flags = MAP_SHARED },
		{ .size = HUGE, .flags = MAP_SHARED },
	};

	memories[2].file = memory_file(memories[2].size, 0);
	memories[3].file = memory_file(memories[3].size, MFD_HUGETLB);
	for (unsigned int i = 0; i < MEMORIES; i++) {
		world->memories[i] = memories[i];
		map_memory(&world->memories[i]);
	}
}

/* Pages disappear under mappings, and may be missing while one is made. */
bool disturb_memory(struct worker *worker)
{
	struct memory *memory =
		&worker->world->memories[below(worker, MEMORIES)];
	size_t offset = memory->size > HUGE / 2 ? 0 : below(worker, 64) * PAGE;
	char *address = memory->address + offset;
	size_t size = memory->size - offset;

	if (below(worker, 2))
		return !madvise(address, size, MADV_DONTNEED);
	if (mprotect(address, size, PROT_NONE))
		return false;
	return !mprotect(address, size, PROT_READ | PROT_WRITE);
}

/*
 * The old file is closed while others use it; its ids mean nothing in the new
 * one.
 */
void open_context(struct context *context)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("/dev/iommu");
	fd = atomic_exchange(&context->fd, fd);
	for (unsigned int kind = 0; kind < KINDS; kind++)
		for (unsigned int i = 0; i < SLOTS; i++)
			context->ids[kind][i] = 0;
	if (fd > 0)
		close(fd);
}

void close_context(struct context *context)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		int access = atomic_exchange(&context->accesses[i], 0);
		int dma_buf = atomic_exchange(&context->dma_bufs[i], 0);

		if (access)
			close(access);
		if (dma_buf)
			close(dma_buf);
	}
	close(context->fd);
}
