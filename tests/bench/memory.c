// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory with each kind of pages. Its physical layout does not depend on what
 * the guest did before: small contiguous pages are huge pages that were split;
 * scattered pages are touched in an order far from that of their addresses.
 */
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define IOVA (4UL << 30)

/* Gigantic pages are reserved when the kernel boots, so there are few. */
#define GIGANTIC_PAGES 2

#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)
#define KPAGEFLAGS_THP	(1ULL << 22)

static const struct {
	const char *name;
	bool huge;
	bool hugetlb;
	bool gigantic;
	bool file;
	bool split;
	bool shuffled;
} kinds[] = {
	[PAGES_4K] = { "4k", .split = true },
	[PAGES_4K_SHUFFLED] = { "4k-shuffled", .shuffled = true },
	[PAGES_THP] = { "thp", .huge = true },
	[PAGES_HUGETLB] = { "hugetlb", .huge = true, .hugetlb = true,
			    .file = true },
	[PAGES_HUGETLB_SHUFFLED] = { "hugetlb-shuffled", .huge = true,
				     .hugetlb = true, .file = true,
				     .shuffled = true },
	[PAGES_SHMEM] = { "shmem", .file = true, .split = true },
	[PAGES_GIGANTIC] = { "gigantic", .huge = true, .hugetlb = true,
			     .gigantic = true },
	[PAGES_GIGANTIC_FILE] = { "gigantic", .huge = true, .hugetlb = true,
				  .gigantic = true, .file = true },
};

/* One at a time: the guest has little more memory. */
static struct memory memory = { .file = -1 };

const char *kind_name(enum kind kind)
{
	return kinds[kind].name;
}

/* The size of the largest pages that a memory of this kind may have. */
static size_t largest(enum kind kind)
{
	return kinds[kind].gigantic ? GIGANTIC : HUGE;
}

/* Makes the allocator merge free memory again. */
static void settle(void)
{
	write_file("/proc/sys/vm/compact_memory", "1");
}

/* The position of the page of @size that is touched as number @i. */
static size_t place(size_t i, size_t size)
{
	size_t count = memory.size / size;
	/* Odd, while the count is a power of two: each page has its turn. */
	size_t step = kinds[memory.kind].shuffled ? count / 2 + count / 8 + 1 :
						    1;

	return i * step % count * size;
}

static void touch(size_t size)
{
	for (size_t i = 0; i < memory.size / size; i++)
		memory.area[place(i, size)] = 1;
}

static uint64_t *read_pages(const char *path, size_t first, size_t count)
{
	size_t size = count * sizeof(uint64_t);
	uint64_t *entries = malloc(size);
	int fd = open_file(path, O_RDONLY);

	if (!entries ||
	    pread(fd, entries, size, first * sizeof(uint64_t)) != (ssize_t)size)
		fail("%s can't be read", path);
	close(fd);
	return entries;
}

static uint64_t page_flags(uint64_t pfn)
{
	uint64_t *flags = read_pages("/proc/kpageflags", pfn, 1), result;

	result = *flags;
	free(flags);
	return result;
}

/* The frame number of each page. */
static uint64_t *read_frames(size_t npages)
{
	uint64_t *pfn = read_pages("/proc/self/pagemap",
				   (uintptr_t)memory.area / PAGE, npages);

	for (size_t i = 0; i < npages; i++) {
		if (!(pfn[i] & PAGEMAP_PRESENT))
			fail("a page is not present");
		pfn[i] &= PAGEMAP_PFN;
	}
	return pfn;
}

/*
 * Counts the physically contiguous parts of the first bytes; memory smaller
 * than that is repeated.
 */
size_t memory_runs(size_t size)
{
	size_t part = size < memory.size ? size : memory.size, runs = 0;
	uint64_t *pfn = read_frames(part / PAGE);

	for (size_t i = 0; i < part / PAGE; i++)
		runs += !i || pfn[i] != pfn[i - 1] + 1;
	free(pfn);
	return runs * (size / part);
}

/*
 * The IOVA for a memory. Small pages get an address at which the IOMMU cannot
 * use huge entries, even if they are contiguous: pages that an allocator
 * returns one by one rarely are so aligned.
 */
uint64_t memory_iova(void)
{
	return kinds[memory.kind].huge ? IOVA : IOVA + PAGE;
}

static void check_pages(bool huge)
{
	uint64_t *pfn = read_frames(memory.size / PAGE);

	for (size_t i = 0; i < memory.size / PAGE; i += HUGE / PAGE)
		if (!(page_flags(pfn[i]) & KPAGEFLAGS_THP) == huge)
			fail("the pages are not of the size they should have");
	free(pfn);
}

static void make_file(void)
{
	unsigned int flags = kinds[memory.kind].hugetlb ? MFD_HUGETLB : 0;

	if (kinds[memory.kind].gigantic)
		flags |= MFD_HUGE_1GB;
	memory.file = memfd_create("bench", flags);
	if (memory.file < 0 || ftruncate(memory.file, memory.size) < 0)
		fail("a memfd could not be made: %m");
}

static void make_area(void)
{
	size_t page = largest(memory.kind);
	int flags = MAP_FIXED;
	char *area;

	flags |= kinds[memory.kind].file ? MAP_SHARED :
					   MAP_PRIVATE | MAP_ANONYMOUS;
	if (kinds[memory.kind].gigantic && !kinds[memory.kind].file)
		flags |= MAP_HUGETLB | MAP_HUGE_1GB;
	area = mmap(NULL, memory.size + page, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		fail("no room for %zu bytes: %m", memory.size);
	area += -(uintptr_t)area % page;
	memory.area = mmap(area, memory.size, PROT_READ | PROT_WRITE, flags,
			   memory.file, 0);
	if (memory.area == MAP_FAILED)
		fail("%zu bytes could not be mapped: %m", memory.size);
}

static void advise(int advice)
{
	if (madvise(memory.area, memory.size, advice))
		fail("madvise: %m");
}

/* Splits huge pages into small ones, in place. */
static void split(void)
{
	char line[80];

	for (char *at = memory.area; at < memory.area + memory.size;
	     at += HUGE) {
		snprintf(line, sizeof(line), "%d,0x%lx,0x%lx", getpid(),
			 (uintptr_t)at, (uintptr_t)at + PAGE);
		write_file("/sys/kernel/debug/split_huge_pages", line);
	}
	/* Otherwise khugepaged merges them again. */
	advise(MADV_NOHUGEPAGE);
}

static void make_pages(void)
{
	bool split_huge = kinds[memory.kind].split;
	bool huge = kinds[memory.kind].huge || split_huge;

	if (kinds[memory.kind].hugetlb) {
		touch(largest(memory.kind));
		return;
	}
	advise(huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	touch(huge ? HUGE : PAGE);
	check_pages(huge);
	if (!split_huge)
		return;
	/* Pages full of zeros would be freed. */
	touch(PAGE);
	split();
	/* A split unmaps pages of a file. */
	touch(PAGE);
	check_pages(false);
}

/* The memory of a kind: reuses the current one if it has that kind. */
const struct memory *memory_get(enum kind kind)
{
	if (memory.area && memory.kind == kind)
		return &memory;
	memory_put();
	memory.kind = kind;
	memory.size = kinds[kind].gigantic ? GIGANTIC_PAGES * GIGANTIC :
					     options.size;
	settle();
	if (kind == PAGES_SHMEM)
		write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
			   "advise");
	if (kinds[kind].file)
		make_file();
	make_area();
	make_pages();
	return &memory;
}

static void release(size_t offset, size_t size)
{
	if (memory.file >= 0)
		fallocate(memory.file,
			  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
			  size);
	else
		madvise(memory.area + offset, size, MADV_DONTNEED);
}

/*
 * Allocators return first the pages that were freed last. Free in the opposite
 * order, so that the next memory has the same layout.
 */
void memory_put(void)
{
	size_t page = largest(memory.kind);

	if (memory.area && memory.area != MAP_FAILED) {
		for (size_t i = memory.size / page; i-- > 0;)
			release(place(i, page), page);
		munmap(memory.area, memory.size);
	}
	if (memory.file >= 0)
		close(memory.file);
	memory = (struct memory){ .file = -1 };
}
