// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Threads that share a space, by the wall's clock: what they do at the same
 * time takes less together than one after the other, if locks let them. Rounds
 * of one thread and of more take turns, so that both see the same machine.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bench.h"

#define MAX_THREADS 8
#define ROUNDS	    64
/* What a call maps, and how often a thread maps its memory in a round, each time elsewhere. */
#define CHUNK MIB
#define TIMES 4

/**
 * struct worker - a thread
 * @index: which one
 * @both: it unmaps what it has mapped
 * @start: when it began
 * @end: when it was done
 */
struct worker {
	unsigned int index;
	bool both;
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

/* Its addresses are far from those of others. */
static uint64_t share_iova(unsigned int index)
{
	return memory_iova() + 2ULL * TIMES * memory->size * index;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	uint64_t iova = share_iova(worker->index);
	size_t size = share();
	char *area = memory->area + worker->index * size;

	pthread_barrier_wait(&barrier);
	worker->start = now();
	for (size_t at = 0; at < TIMES * size; at += CHUNK) {
		backend->map(area + at % size, iova + at, CHUNK);
		if (worker->both)
			backend->unmap(iova + at, CHUNK);
	}
	worker->end = now();
	return NULL;
}

/* From when the first one began to when the last one was done. */
static uint64_t time_threads(unsigned int count, bool both)
{
	struct worker workers[MAX_THREADS];
	pthread_t threads[MAX_THREADS];
	uint64_t start = UINT64_MAX, end = 0;

	if (pthread_barrier_init(&barrier, NULL, count))
		fail("no barrier");
	for (unsigned int i = 0; i < count; i++) {
		workers[i] = (struct worker){ .index = i, .both = both };
		if (pthread_create(&threads[i], NULL, work, &workers[i]))
			fail("no thread");
	}
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		if (workers[i].start < start)
			start = workers[i].start;
		if (workers[i].end > end)
			end = workers[i].end;
		if (!both)
			backend->unmap(share_iova(i), TIMES * share());
	}
	pthread_barrier_destroy(&barrier);
	return end - start;
}

static void play(const struct scene *scene)
{
	unsigned int count = options.repeat < ROUNDS ? options.repeat : ROUNDS;
	struct result result = { .op = scene->ops[0], .unit = "page" };
	uint64_t one[ROUNDS], more[ROUNDS];
	bool both = scene->both;

	memory = memory_get(scene->kind);
	result.units = TIMES * share() / PAGE;
	backend->open(1);
	time_threads(most_threads, both);
	for (unsigned int i = 0; i < count; i++) {
		one[i] = time_threads(1, both);
		more[i] = time_threads(most_threads, both);
	}
	report(&result, one, count);
	result.op = scene->ops[1];
	result.units *= most_threads;
	report(&result, more, count);
}

static void run(const char *rest, bool both)
{
	char many[32];
	struct scene scene = { ON_IOMMUFD | ON_TYPE1,
			       { "threads=1", many },
			       .play = play,
			       .kind = PAGES_4K,
			       .both = both };

	snprintf(many, sizeof(many), "threads=%u", most_threads);
	snprintf(scene.rest, sizeof(scene.rest), "%s", rest);
	scene_run(&scene);
}

/* Maps alone, and maps with their unmaps. */
void play_threads(unsigned int threads)
{
	most_threads = threads < MAX_THREADS ? threads : MAX_THREADS;
	run("map/4k", false);
	run("map-unmap/4k", true);
}
