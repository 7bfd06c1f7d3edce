// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Features that no emulated IOMMU has, or no program can request: dirty pages,
 * caches of nested page tables, users in the kernel. Only kernels with
 * CONFIG_IOMMUFD_TEST have the mock that emulates them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "iommufd_test.h"

#define CALLS	    32
#define MAX_ENTRIES 16
#define RW	    (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
/* One page out of this many is dirty. */
#define DIRTY_STEP 100

static int iommu = -1, access_fd = -1;
static uint32_t ioas, stdev, idev, hwpt, pin_id;
static const struct scene *now_playing;
static const struct memory *memory;

static void test(struct iommu_test_cmd *cmd, uint32_t op, uint32_t id,
		 const char *name)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	control(iommu, IOMMU_TEST_CMD, cmd, name);
}

#define TEST(cmd, op, id) test(cmd, op, id, #op)

/* A context with an IOAS and attached devices. */
static void mock_open(unsigned int tables)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	iommu = open_file("/dev/iommu", O_RDWR);
	CONTROL(iommu, IOMMU_IOAS_ALLOC, &alloc);
	ioas = alloc.out_ioas_id;
	for (unsigned int i = 0; i < tables; i++) {
		struct iommu_test_cmd cmd = {};

		TEST(&cmd, IOMMU_TEST_OP_MOCK_DOMAIN, ioas);
		stdev = cmd.mock_domain.out_stdev_id;
		idev = cmd.mock_domain.out_idev_id;
	}
}

static void mock_close(void)
{
	if (access_fd >= 0)
		close(access_fd);
	if (iommu >= 0)
		close(iommu);
	access_fd = iommu = -1;
}

const struct backend mock_backend = {
	.name = "mock",
	.bit = ON_MOCK,
	.open = mock_open,
	.close = mock_close,
};

static void set_up(const struct scene *scene)
{
	now_playing = scene;
	memory = memory_get(scene->kind);
	mock_open(scene->tables);
}

static void map(void)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory->area,
		.length = now_playing->size,
		.iova = MOCK_APERTURE_START,
	};

	CONTROL(iommu, IOMMU_IOAS_MAP, &map);
}

static uint32_t hwpt_alloc(uint32_t parent, uint32_t flags,
			   struct iommu_hwpt_selftest *data)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = flags,
		.dev_id = idev,
		.pt_id = parent,
	};

	if (data) {
		alloc.data_type = IOMMU_HWPT_DATA_SELFTEST;
		alloc.data_len = sizeof(*data);
		alloc.data_uptr = (uintptr_t)data;
	}
	CONTROL(iommu, IOMMU_HWPT_ALLOC, &alloc);
	return alloc.out_hwpt_id;
}

static void attach(uint32_t pt_id)
{
	struct iommu_test_cmd cmd = { .mock_domain_replace.pt_id = pt_id };

	TEST(&cmd, IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, stdev);
}

/* Dirty pages. */

static uint64_t *bitmap;

/* The mock takes them from a bitmap, in the format in which it reports them. */
static void make_dirty(void)
{
	size_t npages = now_playing->size / PAGE;
	struct iommu_test_cmd cmd = {
		.dirty = { .iova = MOCK_APERTURE_START,
			   .length = now_playing->size,
			   .page_size = PAGE,
			   .uptr = (uintptr_t)bitmap },
	};

	for (size_t i = 0; i < npages; i++)
		if (i % 64 == 0)
			bitmap[i / 64] = 0;
	for (size_t i = 0; i < npages; i += DIRTY_STEP)
		bitmap[i / 64] |= 1ULL << i % 64;
	TEST(&cmd, IOMMU_TEST_OP_DIRTY, hwpt);
}

static void read_dirty(void)
{
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get),
		.hwpt_id = hwpt,
		.iova = MOCK_APERTURE_START,
		.length = now_playing->size,
		.page_size = PAGE,
		.data = (uintptr_t)bitmap,
	};

	CONTROL(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &get);
}

static void play_dirty(const struct scene *scene)
{
	struct iommu_hwpt_set_dirty_tracking set = {
		.size = sizeof(set),
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
	};
	struct result result = {
		.op = scene->ops[0],
		.unit = "page",
		.units = scene->size / PAGE,
	};

	set_up(scene);
	result.runs = memory_runs(scene->size);
	hwpt = hwpt_alloc(ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, NULL);
	attach(hwpt);
	map();
	set.hwpt_id = hwpt;
	CONTROL(iommu, IOMMU_HWPT_SET_DIRTY_TRACKING, &set);
	bitmap = calloc(scene->size / PAGE / 64, sizeof(*bitmap));
	if (!bitmap)
		fail("no memory for a bitmap");
	measure(&result, make_dirty, read_dirty, NULL);
	free(bitmap);
}

/* Users in the kernel; the mock compares the pages with our memory. */

static void pin(void)
{
	struct iommu_test_cmd cmd = {
		.access_pages = { .flags = MOCK_FLAGS_ACCESS_WRITE,
				  .iova = MOCK_APERTURE_START,
				  .length = now_playing->size,
				  .uptr = (uintptr_t)memory->area },
	};

	TEST(&cmd, IOMMU_TEST_OP_ACCESS_PAGES, access_fd);
	pin_id = cmd.access_pages.out_access_pages_id;
}

static void unpin(void)
{
	struct iommu_test_cmd cmd = {
		.destroy_access_pages.access_pages_id = pin_id,
	};

	TEST(&cmd, IOMMU_TEST_OP_DESTROY_ACCESS_PAGES, access_fd);
}

static void play_access(const struct scene *scene)
{
	struct iommu_test_cmd cmd = {
		.create_access.flags = MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES,
	};
	struct result result = {
		.op = scene->ops[0],
		.unit = "page",
		.units = scene->size / PAGE,
	};

	set_up(scene);
	result.runs = memory_runs(scene->size);
	map();
	TEST(&cmd, IOMMU_TEST_OP_CREATE_ACCESS, ioas);
	access_fd = cmd.create_access.out_access_fd;
	measure(&result, NULL, pin, unpin);
	result.op = scene->ops[1];
	measure(&result, pin, unpin, NULL);
}

/* Nested page tables. */

static struct iommu_hwpt_invalidate_selftest entries[MAX_ENTRIES];
static unsigned int nentries;

static void invalidate(void)
{
	for (unsigned int call = 0; call < CALLS; call++) {
		struct iommu_hwpt_invalidate cmd = {
			.size = sizeof(cmd),
			.hwpt_id = hwpt,
			.data_uptr = (uintptr_t)entries,
			.data_type = IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
			.entry_len = sizeof(entries[0]),
			.entry_num = nentries,
		};

		CONTROL(iommu, IOMMU_HWPT_INVALIDATE, &cmd);
	}
}

static void play_invalidate(const struct scene *scene)
{
	struct iommu_hwpt_selftest data = {
		.iotlb = IOMMU_TEST_IOTLB_DEFAULT,
	};
	struct result result = {
		.op = scene->ops[0],
		.unit = "call",
		.units = CALLS,
	};
	uint32_t parent;

	mock_open(1);
	parent = hwpt_alloc(ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, NULL);
	hwpt = hwpt_alloc(parent, 0, &data);
	attach(hwpt);
	for (unsigned int i = 0; i < MAX_ENTRIES; i++)
		entries[i].iotlb_id = i % MOCK_NESTED_DOMAIN_IOTLB_NUM;
	nentries = scene->size;
	measure(&result, NULL, invalidate, NULL);
}

/*
 * Scattered: each entry of the page table has one page, and is marked as a
 * whole.
 */
static void run_dirty(void)
{
	struct scene scene = { ON_MOCK,
			       { "dirty" },
			       .play = play_dirty,
			       .kind = PAGES_4K_SHUFFLED,
			       .size = options.size,
			       .tables = 1 };
	char size[16];

	size_name(size, sizeof(size), scene.size);
	snprintf(scene.rest, sizeof(scene.rest), "1pct/%s", size);
	scene_run(&scene);
}

/* Without a page table the pages are not pinned yet. */
static void run_access(enum kind kind, unsigned int tables)
{
	struct scene scene = { ON_MOCK,
			       { "access-pin", "access-unpin" },
			       .play = play_access,
			       .kind = kind,
			       .size = HUGE,
			       .tables = tables };

	snprintf(scene.rest, sizeof(scene.rest), "%s/2M%s", kind_name(kind),
		 tables ? "" : "/tables=0");
	scene_run(&scene);
}

static void run_invalidate(unsigned int count)
{
	struct scene scene = { ON_MOCK,
			       { "invalidate" },
			       .play = play_invalidate,
			       .size = count };

	snprintf(scene.rest, sizeof(scene.rest), "%u", count);
	scene_run(&scene);
}

void play_mock(void)
{
	run_access(PAGES_THP, 1);
	run_access(PAGES_THP, 0);
	run_access(PAGES_4K, 1);
	run_access(PAGES_4K, 0);
	run_invalidate(1);
	run_invalidate(16);
	run_dirty();
}
