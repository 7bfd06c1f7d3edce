// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The cases that are measured with every backend. */
#include <stdio.h>

#include "bench.h"

/* In a round, if the measured operation is small. */
#define CALLS 32

/* Runs with less memory than this have no room for gigantic pages. */
#define LARGE_RUN (512 * MIB)

/* The state of the steps. */
static const struct scene *now_playing;
static const struct memory *memory;
static uint64_t iova;

static void map(void)
{
	size_t size = now_playing->size;
	size_t length = size < memory->size ? size : memory->size;

	for (size_t at = 0; at < size; at += length)
		backend->map(memory->area, iova + at, length);
}

static void unmap(void)
{
	backend->unmap(iova, now_playing->size);
}

static void map_file(void)
{
	backend->map_file(memory->file, iova, now_playing->size);
}

static void copy(void)
{
	backend->copy(iova, now_playing->size);
}

static void unmap_copy(void)
{
	backend->unmap_copy(iova, now_playing->size);
}

static void set_up(const struct scene *scene)
{
	now_playing = scene;
	memory = memory_get(scene->kind);
	iova = memory_iova();
	backend->open(scene->tables ? scene->tables : 1);
}

static struct result pages(const char *op)
{
	size_t size = now_playing->size;
	bool gigantic = now_playing->kind == PAGES_GIGANTIC ||
			now_playing->kind == PAGES_GIGANTIC_FILE;

	/* A page is far less than an instruction. */
	return (struct result){
		.op = op,
		.unit = gigantic ? "call" : "page",
		.units = gigantic ? 1 : size / PAGE,
		.runs = memory_runs(size),
	};
}

/* Two steps that undo each other. */
static void measure_both(step_fn *do_it, step_fn *undo_it)
{
	struct result result = pages(now_playing->ops[0]);

	measure(&result, NULL, do_it, undo_it);
	result.op = now_playing->ops[1];
	measure(&result, do_it, undo_it, NULL);
}

static void play_map(const struct scene *scene)
{
	set_up(scene);
	measure_both(map, unmap);
}

static void play_file(const struct scene *scene)
{
	set_up(scene);
	measure_both(map_file, unmap);
}

static void play_copy(const struct scene *scene)
{
	set_up(scene);
	backend->open_copy();
	map();
	measure_both(copy, unmap_copy);
}

static void play_attach(const struct scene *scene)
{
	set_up(scene);
	map();
	measure_both(backend->attach, backend->detach);
}

/* Areas of one page with holes of one page between them. */
static void make_areas(void)
{
	for (size_t i = 0; i < now_playing->areas; i++)
		backend->map(memory->area + i * PAGE % memory->size,
			     iova + 2 * i * PAGE, PAGE);
}

/* One of the holes, far from that of the previous call. */
static uint64_t hole(size_t call)
{
	size_t areas = now_playing->areas;
	size_t index = areas > CALLS ? call * (areas / CALLS) : call;

	return iova + (2 * index + 1) * PAGE;
}

static void map_one(size_t call)
{
	backend->map(memory->area, hole(call), PAGE);
}

static void unmap_one(size_t call)
{
	backend->unmap(hole(call), PAGE);
}

static void map_ones(void)
{
	for (size_t call = 0; call < CALLS; call++)
		map_one(call);
}

static void unmap_ones(void)
{
	for (size_t call = CALLS; call-- > 0;)
		unmap_one(call);
}

static void pair_ones(void)
{
	for (size_t call = 0; call < CALLS; call++) {
		map_one(call);
		unmap_one(call);
	}
}

static void play_ones(const struct scene *scene)
{
	struct result result = { .unit = "call", .units = CALLS };

	set_up(scene);
	make_areas();
	result.op = scene->ops[0];
	measure(&result, NULL, map_ones, unmap_ones);
	result.op = scene->ops[1];
	measure(&result, map_ones, unmap_ones, NULL);
	result.op = scene->ops[2];
	measure(&result, NULL, pair_ones, NULL);
}

/* A size for people. */
void size_name(char *name, size_t size, size_t bytes)
{
	if (bytes % (1024 * MIB) == 0)
		snprintf(name, size, "%zuG", bytes / MIB / 1024);
	else
		snprintf(name, size, "%zuM", bytes / MIB);
}

static void name_rest(struct scene *scene, const char *kind)
{
	char size[16];

	size_name(size, sizeof(size), scene->size);
	snprintf(scene->rest, sizeof(scene->rest),
		 scene->tables > 1 ? "%s/%s/tables=%u" : "%s/%s", kind, size,
		 scene->tables);
}

/* Completes the scene and runs it. */
static void run(struct scene scene)
{
	if (!scene.rest[0])
		name_rest(&scene, kind_name(scene.kind));
	scene_run(&scene);
}

static void run_map(enum kind kind, size_t size)
{
	/* The cost of a policy hardly depends on the size of a request. */
	unsigned int limited = size <= options.size / 8 ? ON_PINLIMIT : 0;

	run((struct scene){ ON_ALL | limited,
			    { "map", "unmap" },
			    .play = play_map,
			    .kind = kind,
			    .size = size });
}

static void run_tables(enum kind kind, size_t size)
{
	run((struct scene){ ON_IOMMUFD,
			    { "map", "unmap" },
			    .play = play_map,
			    .kind = kind,
			    .size = size,
			    .tables = 2 });
}

static void run_attach(enum kind kind, size_t size)
{
	run((struct scene){ ON_IOMMUFD | ON_PINLIMIT,
			    { "attach", "detach" },
			    .play = play_attach,
			    .kind = kind,
			    .size = size });
}

static void run_file(enum kind kind, size_t size)
{
	struct scene scene = { ON_IOMMUFD | ON_FLOOR,
			       { "map-file", "unmap-file" },
			       .play = play_file,
			       .kind = kind,
			       .size = size };

	/*
	 * A file's names do not include how its pages are mapped into the
	 * process.
	 */
	if (kind == PAGES_SHMEM)
		name_rest(&scene, kind_name(PAGES_4K));
	run(scene);
}

static void run_gigantic(void)
{
	if (options.size < LARGE_RUN)
		return;
	run_map(PAGES_GIGANTIC, 2 * GIGANTIC);
	run_file(PAGES_GIGANTIC_FILE, 2 * GIGANTIC);
}

static void run_copy(enum kind kind, size_t size)
{
	run((struct scene){ ON_IOMMUFD | ON_PINLIMIT,
			    { "copy", "unmap-copy" },
			    .play = play_copy,
			    .kind = kind,
			    .size = size });
}

static void run_ones(unsigned int areas)
{
	struct scene scene = { areas ? ON_IOMMUFD | ON_TYPE1 :
				       ON_ALL | ON_PINLIMIT,
			       { "one/map", "one/unmap", "one/both" },
			       .play = play_ones,
			       .kind = PAGES_4K,
			       .areas = areas };

	snprintf(scene.rest, sizeof(scene.rest), "areas=%u", areas);
	run(scene);
}

/*
 * Memory is allocated once for all its scenes. Huge pages come first, while
 * free memory is still in large pieces.
 */
void play_cases(void)
{
	const size_t all = options.size, part = all / 8, many = all * 32;

	run_map(PAGES_HUGETLB, all);
	run_map(PAGES_HUGETLB, many);
	run_file(PAGES_HUGETLB, part);
	run_copy(PAGES_HUGETLB, part);
	run_footprint(PAGES_HUGETLB);
	run_map(PAGES_HUGETLB_SHUFFLED, all);
	run_file(PAGES_HUGETLB_SHUFFLED, part);

	run_map(PAGES_THP, HUGE);
	run_map(PAGES_THP, part);
	run_map(PAGES_THP, all);
	run_map(PAGES_THP, many);
	run_tables(PAGES_THP, all);
	run_attach(PAGES_THP, all);
	run_footprint(PAGES_THP);

	run_map(PAGES_4K, HUGE);
	run_map(PAGES_4K, part);
	run_map(PAGES_4K, all);
	run_tables(PAGES_4K, all);
	run_attach(PAGES_4K, all);
	run_copy(PAGES_4K, part);
	run_footprint(PAGES_4K);
	run_ones(0);
	run_ones(100);
	run_ones(10000);
	run_ones(100000);
	if (options.full)
		run_ones(1000000);

	run_map(PAGES_SHMEM, all);
	run_file(PAGES_SHMEM, part);

	run_map(PAGES_4K_SHUFFLED, all);
	run_copy(PAGES_4K_SHUFFLED, part);
	run_footprint(PAGES_4K_SHUFFLED);

	run_gigantic();
}
