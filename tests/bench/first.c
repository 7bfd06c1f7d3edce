// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The first map of memory that is not there yet, with each number of threads
 * that iommufd may use for one request (iommufd.max_threads). Other backends
 * have one thread. Results are the time of a MiB, as an operation.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define IOVA		 (4UL << 30)
#define MAX_THREADS_FILE "/sys/module/iommufd/parameters/max_threads"

static void set_threads(unsigned int threads)
{
	char text[16];

	/* Also the only number that needs no parameter. */
	if (threads == 1 && access(MAX_THREADS_FILE, F_OK))
		return;
	snprintf(text, sizeof(text), "%u", threads);
	write_file(MAX_THREADS_FILE, text);
}

static int new_file(void)
{
	int file = memfd_create("first", MFD_CLOEXEC);

	if (file < 0 || ftruncate(file, options.size))
		fail("no memfd: %m");
	return file;
}

/* Memory without any page, aligned for huge pages. */
static char *new_area(bool huge)
{
	size_t size = options.size + HUGE;
	char *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED ||
	    madvise(area, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		fail("no memory: %m");
	return area;
}

static uint64_t map_file(void)
{
	int file = new_file();
	uint64_t start = now(), end;

	backend->map_file(file, IOVA, options.size);
	end = now();
	backend->unmap(IOVA, options.size);
	close(file);
	return end - start;
}

static uint64_t map_area(bool huge)
{
	char *area = new_area(huge);
	char *aligned = (char *)(((uintptr_t)area + HUGE - 1) & -HUGE);
	uint64_t start = now(), end;

	backend->map(aligned, IOVA, options.size);
	end = now();
	backend->unmap(IOVA, options.size);
	munmap(area, options.size + HUGE);
	return end - start;
}

static void play(const struct scene *scene)
{
	struct result result = { .op = scene->ops[0],
				 .unit = "call",
				 .units = options.size / MIB };
	uint64_t values[ROUNDS_SCALING];

	set_threads(scene->threads);
	backend->open(1);
	for (unsigned int i = 0; i < options.repeat; i++)
		values[i] = scene->kind == PAGES_SHMEM ?
				    map_file() :
				    map_area(scene->kind == PAGES_THP);
	report(&result, values, options.repeat);
}

static void run(enum kind kind, unsigned int on, unsigned int threads)
{
	char op[32];
	struct scene scene = {
		on, { op }, .play = play, .kind = kind, .threads = threads
	};

	snprintf(op, sizeof(op), "threads=%u", threads);
	snprintf(scene.rest, sizeof(scene.rest), "first/%s/MiB",
		 kind_name(kind));
	scene_run(&scene);
}

void play_first(void)
{
	static const enum kind kinds[] = { PAGES_4K, PAGES_THP, PAGES_SHMEM };
	bool ours = !access(MAX_THREADS_FILE, F_OK);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool file = kinds[i] == PAGES_SHMEM;

		for (unsigned int n = 0; options.threads[n]; n++)
			if (options.threads[n] == 1 || ours)
				run(kinds[i],
				    ON_IOMMUFD | (n || file ? 0 : ON_TYPE1),
				    options.threads[n]);
	}
}
