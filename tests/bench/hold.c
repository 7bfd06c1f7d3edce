// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How long the map of a page has to wait while another thread unmaps all of the
 * memory, in another range of the same space.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"

#define ROUNDS	64
#define SAMPLES 65536
/* Where the single pages are mapped. */
#define ELSEWHERE (64 * 1024 * MIB)

/*
 * The maximum is often due to the host; a lock that is held all the time
 * affects every round.
 */
enum { MAX, P99, MEDIAN, FIGURES };

static const struct memory *memory;
static char *page;
static uint64_t samples[SAMPLES];
static uint64_t held[FIGURES][ROUNDS], alone[FIGURES][ROUNDS];
static atomic_bool done;
static pthread_barrier_t barrier;

static void *unmap_all(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	backend->unmap(memory_iova(), memory->size);
	atomic_store(&done, true);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Maps a page again and again, at least once, until told to end. */
static unsigned int take_samples(unsigned int most)
{
	unsigned int count = 0;

	do {
		uint64_t start = now();

		backend->map(page, ELSEWHERE + 2 * count * PAGE, PAGE);
		samples[count++] = now() - start;
	} while (!atomic_load(&done) && count < most);
	return count;
}

static void sum_up(unsigned int count, uint64_t (*values)[ROUNDS],
		   unsigned int round)
{
	backend->unmap(ELSEWHERE, 2 * count * PAGE);
	qsort(samples, count, sizeof(samples[0]), compare);
	values[MAX][round] = samples[count - 1];
	values[P99][round] = samples[(count - 1) * 99 / 100];
	values[MEDIAN][round] = samples[count / 2];
}

static void play_round(unsigned int round)
{
	unsigned int count;
	pthread_t thread;

	backend->map(memory->area, memory_iova(), memory->size);
	atomic_store(&done, false);
	if (pthread_create(&thread, NULL, unmap_all, NULL))
		fail("no thread");
	pthread_barrier_wait(&barrier);
	count = take_samples(SAMPLES);
	pthread_join(thread, NULL);
	sum_up(count, held, round);

	/* The same number without another thread. */
	atomic_store(&done, false);
	count = take_samples(count);
	sum_up(count, alone, round);
}

static void play(const struct scene *scene)
{
	unsigned int count = options.repeat < ROUNDS ? options.repeat : ROUNDS;

	memory = memory_get(scene->kind);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (page == MAP_FAILED || pthread_barrier_init(&barrier, NULL, 2))
		fail("no page or no barrier");
	backend->open(1);
	for (unsigned int i = 0; i < count; i++)
		play_round(i);
	for (unsigned int i = 0; i < 2 * FIGURES; i++) {
		struct result result = { .op = scene->ops[i],
					 .unit = "call",
					 .units = 1 };

		report(&result, i < FIGURES ? held[i] : alone[i - FIGURES],
		       count);
	}
	munmap(page, PAGE);
	pthread_barrier_destroy(&barrier);
}

void play_hold(void)
{
	struct scene scene = {
		ON_IOMMUFD | ON_TYPE1,
		{ "hold/max", "hold/p99", "hold/median", "alone/max",
		  "alone/p99", "alone/median" },
		.play = play,
		.kind = PAGES_4K_SHUFFLED,
	};
	char size[16];

	size_name(size, sizeof(size), options.size);
	snprintf(scene.rest, sizeof(scene.rest), "%s/%s", kind_name(scene.kind),
		 size);
	scene_run(&scene);
}
