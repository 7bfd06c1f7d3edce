// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The calls, each with arguments that are often valid. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stress.h"

/*
 * Few addresses, so that threads collide: each memory has its own range, with
 * some room.
 */
#define WINDOW (5 * HUGE)

static const unsigned int both = IOMMU_IOAS_MAP_READABLE |
				 IOMMU_IOAS_MAP_WRITEABLE;

static uint64_t some_iova(struct worker *worker)
{
	return MOCK_APERTURE_START + below(worker, WINDOW / PAGE) * PAGE;
}

static unsigned int some_flags(struct worker *worker)
{
	static const unsigned int rights[] = { both, both, both,
					       IOMMU_IOAS_MAP_READABLE };

	return rights[below(worker, 4)] |
	       (below(worker, 4) ? IOMMU_IOAS_MAP_FIXED_IOVA : 0);
}

/* A part of a memory and, most of the time, its address. */
struct part {
	const struct memory *memory;
	uint64_t offset;
	uint64_t length;
	uint64_t iova;
};

static struct part some_part(struct worker *worker, uint64_t most_pages)
{
	unsigned int i = below(worker, MEMORIES);
	const struct memory *memory = &worker->world->memories[i];
	uint64_t pages = memory->size / PAGE;
	uint64_t first = below(worker, 4) ? below(worker, pages) : 0;

	if (most_pages > pages - first)
		most_pages = pages - first;
	return (struct part){
		.memory = memory,
		.offset = first * PAGE,
		.length = (1 + below(worker, most_pages)) * PAGE,
		.iova = MOCK_APERTURE_START + i * HUGE + first * PAGE,
	};
}

static bool ioas_alloc(struct worker *worker)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };

	if (ioctl(worker->context->fd, IOMMU_IOAS_ALLOC, &cmd))
		return false;
	put(worker, IOAS, cmd.out_ioas_id);
	return true;
}

static bool map(struct worker *worker)
{
	struct part part = some_part(worker, UINT64_MAX);
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = some_flags(worker),
		.ioas_id = take(worker, IOAS),
		.user_va = (uintptr_t)part.memory->address + part.offset,
		.length = part.length,
		.iova = part.iova,
	};

	return !ioctl(worker->context->fd, IOMMU_IOAS_MAP, &cmd);
}

static bool map_file(struct worker *worker)
{
	struct part part = some_part(worker, UINT64_MAX);
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = some_flags(worker),
		.ioas_id = take(worker, IOAS),
		.fd = part.memory->file,
		.start = part.offset,
		.length = part.length,
		.iova = part.iova,
	};

	return !ioctl(worker->context->fd, IOMMU_IOAS_MAP_FILE, &cmd);
}

static bool unmap(struct worker *worker)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = take(worker, IOAS),
		.iova = some_iova(worker),
		.length = (1 + below(worker, WINDOW / PAGE)) * PAGE,
	};

	return !ioctl(worker->context->fd, IOMMU_IOAS_UNMAP, &cmd);
}

static bool unmap_all(struct worker *worker)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = take(worker, IOAS),
		.length = UINT64_MAX,
	};

	return !ioctl(worker->context->fd, IOMMU_IOAS_UNMAP, &cmd) &&
	       cmd.length;
}

static bool copy(struct worker *worker)
{
	struct part part = some_part(worker, 16);
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = some_flags(worker),
		.dst_ioas_id = take(worker, IOAS),
		.src_ioas_id = take(worker, IOAS),
		.length = part.length,
		.dst_iova = some_iova(worker),
		.src_iova = part.iova,
	};

	return !ioctl(worker->context->fd, IOMMU_IOAS_COPY, &cmd);
}

static bool ranges(struct worker *worker)
{
	struct iommu_iova_range array[8];
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = take(worker, IOAS),
		.num_iovas = ARRAY_SIZE(array),
		.allowed_iovas = (uintptr_t)array,
	};

	return !ioctl(worker->context->fd, IOMMU_IOAS_IOVA_RANGES, &cmd);
}

static bool allow_ranges(struct worker *worker)
{
	struct iommu_iova_range range = { MOCK_APERTURE_START,
					  MOCK_APERTURE_START + WINDOW - 1 };
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = take(worker, IOAS),
		.num_iovas = below(worker, 2),
		.allowed_iovas = (uintptr_t)&range,
	};

	return !ioctl(worker->context->fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

static bool huge_pages(struct worker *worker)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = take(worker, IOAS),
		.val64 = below(worker, 2),
	};

	return !ioctl(worker->context->fd, IOMMU_OPTION, &cmd);
}

static bool change_process(struct worker *worker)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };

	return !ioctl(worker->context->fd, IOMMU_IOAS_CHANGE_PROCESS, &cmd);
}

static bool attach(struct worker *worker)
{
	static const unsigned int flags[] = { 0, 0, MOCK_FLAGS_DEVICE_NO_DIRTY,
					      MOCK_FLAGS_DEVICE_PASID };
	struct iommu_test_cmd cmd = { .mock_domain_flags.dev_flags =
					      flags[below(worker, 4)] };
	unsigned int op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS;

	if (command(worker->context->fd, &cmd, op, take(worker, IOAS)))
		return false;
	put(worker, STDEV, cmd.mock_domain_flags.out_stdev_id);
	put(worker, IDEV, cmd.mock_domain_flags.out_idev_id);
	return true;
}

static bool detach(struct worker *worker)
{
	return !destroy(worker->context->fd, take(worker, STDEV));
}

/* Never allowed, not even while the device is being unbound. */
static bool destroy_device(struct worker *worker)
{
	return !destroy(worker->context->fd, take(worker, IDEV));
}

static bool replace(struct worker *worker)
{
	struct iommu_test_cmd cmd = {
		.mock_domain_replace.pt_id =
			take(worker, below(worker, 2) ? IOAS : HWPT),
	};
	unsigned int op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE;

	return !command(worker->context->fd, &cmd, op, take(worker, STDEV));
}

static bool hwpt_alloc(struct worker *worker)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = below(worker, 2) ? IOMMU_HWPT_ALLOC_DIRTY_TRACKING : 0,
		.dev_id = take(worker, IDEV),
		.pt_id = take(worker, IOAS),
	};

	if (ioctl(worker->context->fd, IOMMU_HWPT_ALLOC, &cmd))
		return false;
	put(worker, HWPT, cmd.out_hwpt_id);
	return true;
}

/* Any object: ids are allocated from 1 upwards. */
static bool destroy_any(struct worker *worker)
{
	return !destroy(worker->context->fd, 1 + below(worker, 64));
}

static bool access_create(struct worker *worker)
{
	struct iommu_test_cmd cmd = {
		.create_access.flags =
			below(worker, 4) ?
				MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES :
				0,
	};
	atomic_int *slot = &worker->context->accesses[below(worker, SLOTS)];
	int old;

	if (command(worker->context->fd, &cmd, IOMMU_TEST_OP_CREATE_ACCESS,
		    take(worker, IOAS)))
		return false;
	old = atomic_exchange(slot, cmd.create_access.out_access_fd);
	if (old)
		close(old);
	return true;
}

static unsigned int some_access(struct worker *worker)
{
	return worker->context->accesses[below(worker, SLOTS)];
}

static bool access_pin(struct worker *worker)
{
	struct part part = some_part(worker, 8);
	struct iommu_test_cmd cmd = {
		.access_pages = {
			.flags = below(worker, 2) ? MOCK_FLAGS_ACCESS_WRITE : 0,
			.iova = part.iova,
			.length = part.length,
			.uptr = (uintptr_t)part.memory->address + part.offset,
		},
	};
	struct iommu_test_cmd undo = {};
	unsigned int access = some_access(worker);
	int fd = worker->context->fd;

	if (command(fd, &cmd, IOMMU_TEST_OP_ACCESS_PAGES, access))
		return false;
	undo.destroy_access_pages.access_pages_id =
		cmd.access_pages.out_access_pages_id;
	if (below(worker, 4))
		command(fd, &undo, IOMMU_TEST_OP_DESTROY_ACCESS_PAGES, access);
	return true;
}

static bool access_rw(struct worker *worker)
{
	char data[3 * PAGE];
	struct iommu_test_cmd cmd = {
		.access_rw = {
			.iova = some_iova(worker) + below(worker, PAGE),
			.length = 1 + below(worker, sizeof(data)),
			.uptr = (uintptr_t)data,
			.flags = below(worker, 2) ? MOCK_ACCESS_RW_SLOW_PATH : 0,
		},
	};

	return !command(worker->context->fd, &cmd, IOMMU_TEST_OP_ACCESS_RW,
			some_access(worker));
}

static bool access_replace(struct worker *worker)
{
	struct iommu_test_cmd cmd = { .access_replace_ioas.ioas_id =
					      take(worker, IOAS) };
	unsigned int op = IOMMU_TEST_OP_ACCESS_REPLACE_IOAS;

	return !command(worker->context->fd, &cmd, op, some_access(worker));
}

static bool dma_buf_get(struct worker *worker)
{
	struct iommu_test_cmd cmd = {
		.dmabuf_get = { .length = 8 * PAGE, .open_flags = O_CLOEXEC },
	};
	atomic_int *slot = &worker->context->dma_bufs[below(worker, SLOTS)];
	int fd =
		command(worker->context->fd, &cmd, IOMMU_TEST_OP_DMABUF_GET, 0);

	if (fd <= 0)
		return false;
	fd = atomic_exchange(slot, fd);
	if (fd)
		close(fd);
	return true;
}

static bool dma_buf_map(struct worker *worker)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = some_flags(worker),
		.ioas_id = take(worker, IOAS),
		.iova = some_iova(worker),
		.fd = worker->context->dma_bufs[below(worker, SLOTS)],
		.length = (1 + below(worker, 8)) * PAGE,
	};

	return cmd.fd && !ioctl(worker->context->fd, IOMMU_IOAS_MAP_FILE, &cmd);
}

static bool dma_buf_revoke(struct worker *worker)
{
	struct iommu_test_cmd cmd = {
		.dmabuf_revoke = {
			.dmabuf_fd = worker->context->dma_bufs[below(worker, SLOTS)],
			.revoked = below(worker, 2),
		},
	};

	return cmd.dmabuf_revoke.dmabuf_fd &&
	       !command(worker->context->fd, &cmd, IOMMU_TEST_OP_DMABUF_REVOKE,
			0);
}

static bool memory_limit(struct worker *worker)
{
	struct iommu_test_cmd cmd = { .memory_limit.limit =
					      1U << below(worker, 17) };

	return !command(worker->context->fd, &cmd,
			IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT, 0);
}

/* Not too often: a context has to live for a while to become interesting. */
static bool reopen(struct worker *worker)
{
	if (below(worker, 8))
		return false;
	open_context(worker->context);
	return true;
}

const struct op ops[] = {
	{ "ioas_alloc", 6, ioas_alloc },
	{ "map", 30, map },
	{ "map_file", 30, map_file },
	{ "unmap", 30, unmap },
	{ "unmap_all", 4, unmap_all },
	{ "copy", 20, copy },
	{ "ranges", 2, ranges },
	{ "allow_ranges", 2, allow_ranges },
	{ "huge_pages", 3, huge_pages },
	{ "change_process", 1, change_process },
	{ "attach", 10, attach },
	{ "detach", 6, detach },
	{ "destroy_device", 6, destroy_device },
	{ "replace", 6, replace },
	{ "hwpt_alloc", 3, hwpt_alloc },
	{ "destroy_any", 2, destroy_any },
	{ "access_create", 6, access_create },
	{ "access_pin", 20, access_pin },
	{ "access_rw", 20, access_rw },
	{ "access_replace", 4, access_replace },
	{ "dma_buf_get", 3, dma_buf_get },
	{ "dma_buf_map", 6, dma_buf_map },
	{ "dma_buf_revoke", 3, dma_buf_revoke },
	{ "memory_limit", 1, memory_limit },
	{ "memory", 6, disturb_memory },
	{ "reopen", 1, reopen },
};

const unsigned int op_count = ARRAY_SIZE(ops);
