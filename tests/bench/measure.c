// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Measures mapping and unmapping; scripts/measure runs it in a guest whose
 * clock counts instructions and prints what it says as a table.
 *
 * usage: measure MIB
 *
 * A line for each case, with tabs between: its name, pages, physically
 * contiguous runs, and the nanoseconds of a map and of an unmap, each the least
 * of some rounds.
 */
#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 3
/* Calls that a single page is averaged over. */
#define CALLS 1000
#define PAGE  4096UL
#define HUGE  (2UL << 20)
#define IOVA  (4UL << 30)
#define RW    (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)

enum kind { PAGES_4K, PAGES_4K_SCATTERED, PAGES_THP, PAGES_HUGETLB };

static int iommu;
/* Each has a device. */
static uint32_t ioas[2];

/**
 * struct memory - what is mapped
 * @kind: which pages it has
 * @file: memfd, or -1
 * @area: where it is in our address space
 * @size: bytes
 * @runs: physically contiguous parts
 */
struct memory {
	enum kind kind;
	int file;
	char *area;
	size_t size;
	size_t runs;
};

struct times {
	uint64_t map;
	uint64_t unmap;
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void control(int fd, unsigned long request, void *arg, const char *name)
{
	if (ioctl(fd, request, arg) < 0)
		err(1, "%s", name);
}

#define CONTROL(fd, request, arg) control(fd, request, arg, #request)

static void attach_device(const char *sysfs, uint32_t ioas_id)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommu,
	};
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = ioas_id,
	};
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/devices/%s",
		 strrchr(sysfs, '/') + 1);
	fd = open(path, O_RDWR);
	if (fd < 0)
		err(1, "%s", path);
	CONTROL(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	CONTROL(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

static void set_up(void)
{
	glob_t found;

	if (glob("/sys/bus/pci/devices/*/vfio-dev/vfio*", 0, NULL, &found) ||
	    found.gl_pathc < 2)
		errx(1, "this needs two devices");
	iommu = open("/dev/iommu", O_RDWR);
	if (iommu < 0)
		err(1, "/dev/iommu");
	for (int i = 0; i < 2; i++) {
		struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

		CONTROL(iommu, IOMMU_IOAS_ALLOC, &alloc);
		ioas[i] = alloc.out_ioas_id;
		attach_device(found.gl_pathv[i], ioas[i]);
	}
	globfree(&found);
}

/* Have the allocator put together again what earlier cases took apart. */
static void settle(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);

	if (fd < 0 || write(fd, "1", 1) != 1)
		warn("compact_memory");
	if (fd >= 0)
		close(fd);
}

/* Make the pages present; scattered ones in an order far from that of addresses. */
static void touch(struct memory *memory)
{
	size_t npages = memory->size / PAGE;
	/* Odd, and the number of pages is a power of two: each is touched. */
	size_t step = memory->kind == PAGES_4K_SCATTERED ?
			      npages / 2 + npages / 8 + 1 :
			      1;

	for (size_t i = 0; i < npages; i++)
		memory->area[i * step % npages * PAGE] = 1;
}

static size_t count_runs(const struct memory *memory)
{
	size_t npages = memory->size / PAGE, runs = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry, last = 0;

	if (fd < 0)
		err(1, "pagemap");
	for (size_t i = 0; i < npages; i++) {
		off_t at = ((uintptr_t)memory->area / PAGE + i) * sizeof(entry);

		if (pread(fd, &entry, sizeof(entry), at) != sizeof(entry))
			err(1, "pagemap");
		if (!(entry & PAGEMAP_PRESENT))
			errx(1, "a page is not present");
		entry &= PAGEMAP_PFN;
		runs += !i || entry != last + 1;
		last = entry;
	}
	close(fd);
	return runs;
}

static void make_file(struct memory *memory)
{
	memory->file = memfd_create("measure", memory->kind == PAGES_HUGETLB ?
						       MFD_HUGETLB :
						       0);
	if (memory->file < 0 || ftruncate(memory->file, memory->size) < 0)
		err(1, "memfd");
}

static void make_memory(struct memory *memory, enum kind kind, bool file,
			size_t size)
{
	bool huge = kind == PAGES_THP || kind == PAGES_HUGETLB;
	int flags = file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;

	*memory = (struct memory){ .kind = kind, .file = -1, .size = size };
	settle();
	if (file)
		make_file(memory);
	else if (kind == PAGES_HUGETLB)
		flags |= MAP_HUGETLB;
	/* glibc and the kernel align what is a multiple of a huge page. */
	memory->area = mmap(NULL, size, PROT_READ | PROT_WRITE, flags,
			    memory->file, 0);
	if (memory->area == MAP_FAILED)
		err(1, "%zu bytes", size);
	if (!file && kind != PAGES_HUGETLB)
		madvise(memory->area, size,
			huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	touch(memory);
	memory->runs = count_runs(memory);
	if (huge && memory->runs > size / HUGE)
		errx(1, "not all of it is huge pages");
}

static void free_memory(struct memory *memory)
{
	munmap(memory->area, memory->size);
	if (memory->file >= 0)
		close(memory->file);
}

static void map_va(const struct memory *memory)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas[0],
		.user_va = (uintptr_t)memory->area,
		.length = memory->size,
		.iova = IOVA,
	};

	CONTROL(iommu, IOMMU_IOAS_MAP, &map);
}

static void map_file(const struct memory *memory)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas[0],
		.fd = memory->file,
		.length = memory->size,
		.iova = IOVA,
	};

	CONTROL(iommu, IOMMU_IOAS_MAP_FILE, &map);
}

/* From the first IOAS to the second one. */
static void map_copy(const struct memory *memory)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.dst_ioas_id = ioas[1],
		.src_ioas_id = ioas[0],
		.length = memory->size,
		.src_iova = IOVA,
		.dst_iova = IOVA,
	};

	CONTROL(iommu, IOMMU_IOAS_COPY, &copy);
}

static void unmap(const struct memory *memory, uint32_t ioas_id)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas_id,
		.iova = IOVA,
		.length = memory->size,
	};

	CONTROL(iommu, IOMMU_IOAS_UNMAP, &unmap);
}

typedef void map_fn(const struct memory *memory);

/* The nanoseconds of some maps and unmaps, with those of reading the clock. */
static struct times run(map_fn *map, const struct memory *memory, int calls)
{
	uint32_t target = map == map_copy ? ioas[1] : ioas[0];
	struct times times = {};

	for (int i = 0; i < calls; i++) {
		uint64_t start = now(), mapped;

		map(memory);
		mapped = now();
		unmap(memory, target);
		times.map += mapped - start;
		times.unmap += now() - mapped;
	}
	return times;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void measure(const char *name, map_fn *map, enum kind kind, size_t size)
{
	struct times times, best = { UINT64_MAX, UINT64_MAX };
	int calls = size == PAGE ? CALLS : 1;
	struct memory memory;
	uint64_t clock;

	make_memory(&memory, kind, map == map_file, size);
	if (map == map_copy)
		map_va(&memory);
	for (int i = 0; i < ROUNDS; i++) {
		times = run(map, &memory, calls);
		best.map = least(best.map, times.map);
		best.unmap = least(best.unmap, times.unmap);
	}
	if (map == map_copy)
		unmap(&memory, ioas[0]);
	free_memory(&memory);

	clock = now();
	for (int i = 0; i < CALLS; i++)
		now();
	clock = (now() - clock) / CALLS;
	printf("%s\t%zu\t%zu\t%llu\t%llu\n", name, size / PAGE, memory.runs,
	       (unsigned long long)(best.map / calls - clock),
	       (unsigned long long)(best.unmap / calls - clock));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	size_t size;

	if (argc != 2)
		errx(2, "usage: measure MIB");
	size = strtoul(argv[1], NULL, 10) << 20;
	if (size < HUGE || size & (size - 1))
		errx(2, "MIB: a power of two, at least 2");
	set_up();
	/* What needs memory in large pieces comes first. */
	measure("map THP", map_va, PAGES_THP, size);
	measure("file hugetlb", map_file, PAGES_HUGETLB, size);
	/* The pool gives back last what it was given first. */
	measure("file hugetlb reversed", map_file, PAGES_HUGETLB, size);
	measure("map hugetlb", map_va, PAGES_HUGETLB, size);
	measure("copy hugetlb", map_copy, PAGES_HUGETLB, size);
	measure("file 4K", map_file, PAGES_4K, size);
	measure("map 4K", map_va, PAGES_4K, size);
	measure("copy 4K", map_copy, PAGES_4K, size);
	measure("map 4K scattered", map_va, PAGES_4K_SCATTERED, size);
	measure("copy 4K scattered", map_copy, PAGES_4K_SCATTERED, size);
	measure("map one page", map_va, PAGES_4K, PAGE);
	measure("file one page", map_file, PAGES_4K, PAGE);
	measure("copy one page", map_copy, PAGES_4K, PAGE);
	return 0;
}
