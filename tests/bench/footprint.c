// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel memory that a mapping takes, without the mapped pages: the
 * difference in free memory with and without the mapping, and the parts of it
 * in slabs and in page tables of IOMMUs.
 */
#include <fcntl.h>
#include <glob.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define GIB (1024 * MIB)
/* Others allocate memory, too; the minimum is ours. */
#define ROUNDS 4

enum { ALL, SLAB, TABLES, FIGURES };

/* In bytes. */
struct footprint {
	size_t free;
	size_t slab;
	size_t tables;
};

static char text[16384];

static const char *read_text(const char *path)
{
	int fd = open_file(path, O_RDONLY);
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += n;
	close(fd);
	text[size] = '\0';
	return text;
}

/* The sum of the numbers after a word. */
static size_t sum(const char *from, const char *word)
{
	size_t total = 0, number;

	while ((from = strstr(from, word))) {
		from += strlen(word);
		if (sscanf(from, "%zu", &number) == 1)
			total += number;
	}
	return total;
}

/* Completes frees: shrinks empty slabs, waits for objects freed by RCU. */
static void shrink(void)
{
	glob_t slabs;

	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &slabs))
		fail("this kernel does not say what slabs it has");
	for (size_t i = 0; i < slabs.gl_pathc; i++)
		write_file(slabs.gl_pathv[i], "1");
	globfree(&slabs);
}

static struct footprint take_footprint(void)
{
	struct footprint footprint;

	shrink();
	shrink();
	/* The counters are kept per CPU. */
	read_text("/proc/sys/vm/stat_refresh");
	read_text("/proc/meminfo");
	footprint.slab = sum(text, "\nSlab:") * 1024;
	footprint.tables = sum(text, "\nSecPageTables:") * 1024;
	read_text("/proc/zoneinfo");
	footprint.free =
		(sum(text, "pages free ") + sum(text, " count:")) * PAGE;
	return footprint;
}

/* The increase per GiB; 0 if the difference may be chance. */
static uint64_t grown(size_t before, size_t after)
{
	return after > before ? (after - before) * (GIB / options.size) : 0;
}

static void play(const struct scene *scene)
{
	const struct memory *memory = memory_get(scene->kind);
	uint64_t values[FIGURES][ROUNDS], iova = memory_iova();
	size_t runs = memory_runs(memory->size);

	backend->open(1);
	/* A first round does the allocations that happen only once. */
	backend->map(memory->area, iova, memory->size);
	backend->unmap(iova, memory->size);
	take_footprint();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct footprint before = take_footprint(), after;

		backend->map(memory->area, iova, memory->size);
		after = take_footprint();
		backend->unmap(iova, memory->size);
		values[ALL][i] = grown(after.free, before.free);
		values[SLAB][i] = grown(before.slab, after.slab);
		values[TABLES][i] = grown(before.tables, after.tables);
	}
	for (unsigned int i = 0; i < FIGURES; i++) {
		struct result result = { .op = scene->ops[i],
					 .unit = "byte",
					 .units = 1,
					 .runs = runs };

		report(&result, values[i], ROUNDS);
	}
}

/* In bytes per mapped GiB. */
void run_footprint(enum kind kind)
{
	struct scene scene = { ON_ALL,
			       { [ALL] = "memory",
				 [SLAB] = "memory-slab",
				 [TABLES] = "memory-tables" },
			       .play = play,
			       .kind = kind };

	snprintf(scene.rest, sizeof(scene.rest), "%s", kind_name(kind));
	scene_run(&scene);
}
