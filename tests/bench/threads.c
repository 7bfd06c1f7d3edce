// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Threads that share a space, in real time. If locks and the number of CPUs
 * allow it, concurrent threads take less time than the same work in sequence.
 * Threads that only compute show whether there are enough CPUs. One thread and
 * several of both kinds alternate, so that all see the same machine.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bench.h"

#define MOST_THREADS 8
#define ROUNDS	     64
/*
 * The size of each map, and the number of times that a thread maps its memory
 * in a round, at different addresses.
 */
#define CHUNK MIB
#define TIMES 4

/* The work of threads that only compute: about as much. */
#define COMPUTE 20000000

struct worker;

typedef void work_fn(const struct worker *worker);

/**
 * struct worker - a thread
 * @index: its number
 * @work: its work
 * @start: when it began
 * @end: when it was done
 */
struct worker {
	unsigned int index;
	work_fn *work;
	uint64_t start;
	uint64_t end;
};

static const struct memory *memory;
static pthread_barrier_t barrier;
static unsigned int most_threads;

/* A thread's part of the memory. */
static size_t share(void)
{
	return memory->size / most_threads / CHUNK * CHUNK;
}

/* Its addresses are far from those of other threads. */
static uint64_t share_iova(unsigned int index)
{
	return memory_iova() + 2ULL * TIMES * memory->size * index;
}

static void map_share(const struct worker *worker, bool unmap)
{
	uint64_t iova = share_iova(worker->index);
	size_t size = share();
	char *area = memory->area + worker->index * size;

	for (size_t at = 0; at < TIMES * size; at += CHUNK) {
		backend->map(area + at % size, iova + at, CHUNK);
		if (unmap)
			backend->unmap(iova + at, CHUNK);
	}
}

static void map(const struct worker *worker)
{
	map_share(worker, false);
}

static void map_unmap(const struct worker *worker)
{
	map_share(worker, true);
}

static void compute(const struct worker *worker)
{
	(void)worker;
	for (unsigned int i = 0; i < COMPUTE; i++)
		__asm__ volatile("");
}

static void *run_worker(void *arg)
{
	struct worker *worker = arg;

	pthread_barrier_wait(&barrier);
	worker->start = now();
	worker->work(worker);
	worker->end = now();
	return NULL;
}

/* From the start of the first thread to the end of the last one. */
static uint64_t time_threads(unsigned int count, work_fn *work)
{
	struct worker workers[MOST_THREADS];
	pthread_t threads[MOST_THREADS];
	uint64_t start = UINT64_MAX, end = 0;

	if (pthread_barrier_init(&barrier, NULL, count))
		fail("no barrier");
	for (unsigned int i = 0; i < count; i++) {
		workers[i] = (struct worker){ .index = i, .work = work };
		if (pthread_create(&threads[i], NULL, run_worker, &workers[i]))
			fail("no thread");
	}
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		if (workers[i].start < start)
			start = workers[i].start;
		if (workers[i].end > end)
			end = workers[i].end;
		if (work == map)
			backend->unmap(share_iova(i), TIMES * share());
	}
	pthread_barrier_destroy(&barrier);
	return end - start;
}

static void play(const struct scene *scene, work_fn *work)
{
	unsigned int count = options.repeat < ROUNDS ? options.repeat : ROUNDS;
	uint64_t values[4][ROUNDS];
	size_t units[4];

	memory = memory_get(scene->kind);
	units[0] = TIMES * share() / PAGE;
	units[1] = units[0] * most_threads;
	units[2] = COMPUTE;
	units[3] = units[2] * most_threads;
	backend->open(1);
	time_threads(most_threads, work);
	for (unsigned int i = 0; i < count; i++) {
		values[0][i] = time_threads(1, work);
		values[1][i] = time_threads(most_threads, work);
		values[2][i] = time_threads(1, compute);
		values[3][i] = time_threads(most_threads, compute);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		struct result result = { .op = scene->ops[i],
					 .unit = i < 2 ? "page" : "step",
					 .units = units[i] };

		report(&result, values[i], count);
	}
}

static void play_map(const struct scene *scene)
{
	play(scene, map);
}

static void play_map_unmap(const struct scene *scene)
{
	play(scene, map_unmap);
}

static void run(const char *rest, void (*play_it)(const struct scene *scene))
{
	char threads[32], computing[32];
	struct scene scene = { ON_IOMMUFD | ON_TYPE1,
			       { "threads=1", threads, "compute=1", computing },
			       .play = play_it,
			       .kind = PAGES_4K };

	snprintf(threads, sizeof(threads), "threads=%u", most_threads);
	snprintf(computing, sizeof(computing), "compute=%u", most_threads);
	snprintf(scene.rest, sizeof(scene.rest), "%s", rest);
	scene_run(&scene);
}

/* Only maps, and maps with their unmaps. */
void play_threads(unsigned int threads)
{
	most_threads = threads < MOST_THREADS ? threads : MOST_THREADS;
	run("map/4k", play_map);
	run("map-unmap/4k", play_map_unmap);
}
