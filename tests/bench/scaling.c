// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How throughput grows with threads: each thread maps and unmaps memory of its
 * own at addresses of its own, all in one space, for a fixed time. Threads that
 * only compute show what the machine itself allows.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Threads are so far apart that their IOMMU page tables share no leaf table. */
#define IOVA	  (4UL << 30)
#define IOVA_STEP (1UL << 30)
/* Results are reported as the time of this many operations. */
#define CALLS 1000
/* Work of a thread that only computes, for one operation. */
#define COMPUTE 20000

/**
 * struct runner - a thread
 * @index: its number
 * @memory: its memory
 * @count: operations that it has done
 * @rate: operations a second
 */
struct runner {
	unsigned int index;
	char *memory;
	uint64_t count;
	double rate;
} __attribute__((aligned(128)));

typedef void operation_fn(const struct runner *runner);

__thread unsigned int lane;

static pthread_barrier_t barrier;
static atomic_bool stop;
static operation_fn *operation;
static size_t size;
static char *memory;
static size_t memory_size;

static void map_unmap(const struct runner *runner)
{
	uint64_t iova = IOVA + runner->index * IOVA_STEP;

	backend->map(runner->memory, iova, size);
	backend->unmap(iova, size);
}

static void compute(const struct runner *runner)
{
	(void)runner;
	for (unsigned int i = 0; i < COMPUTE; i++)
		__asm__ volatile("");
}

/* Otherwise two threads may share a CPU for a while. */
static void stay_on_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("there is no CPU %u: %m", cpu);
}

static void *run_operations(void *arg)
{
	struct runner *runner = arg;
	uint64_t start;

	lane = runner->index;
	if (options.locks)
		stay_on_cpu(runner->index);
	/* The first operation allocates tables that stay. */
	operation(runner);
	pthread_barrier_wait(&barrier);
	start = now();
	do {
		operation(runner);
		runner->count++;
	} while (!atomic_load_explicit(&stop, memory_order_relaxed));
	runner->rate = runner->count * 1e9 / (now() - start);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void wait_seconds(double seconds)
{
	struct timespec time = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (seconds - (time_t)seconds) * 1e9,
	};

	nanosleep(&time, NULL);
}

/*
 * The threads wait twice after their operations: in between, none does anything
 * that would be counted.
 */
static void stop_counting(void)
{
	pthread_barrier_wait(&barrier);
	if (options.locks)
		locks_end();
	pthread_barrier_wait(&barrier);
}

/*
 * The memory of a thread is the same whatever the number of threads: the cost
 * of a map depends on where its pages are.
 */
static void get_memory(void)
{
	unsigned int most = 0;

	for (unsigned int i = 0; options.threads[i]; i++)
		if (options.threads[i] > most)
			most = options.threads[i];
	if (memory_size == most * size)
		return;
	if (memory_size)
		munmap(memory, memory_size);
	memory_size = 0;
	memory = mmap(NULL, most * size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("no memory: %m");
	memory_size = most * size;
	if (madvise(memory, memory_size, MADV_NOHUGEPAGE))
		fail("madvise: %m");
	for (size_t i = 0; i < memory_size; i += PAGE)
		memory[i] = 1;
}

/* Returns operations a second, and their number. */
static double run_threads(unsigned int count, uint64_t *calls)
{
	static struct runner runners[MAX_THREADS];
	static pthread_t threads[MAX_THREADS];
	double rate = 0;

	atomic_store(&stop, false);
	if (pthread_barrier_init(&barrier, NULL, count + 1))
		fail("no barrier");
	for (unsigned int i = 0; i < count; i++) {
		runners[i] = (struct runner){ .index = i,
					      .memory = memory + i * size };
		if (pthread_create(&threads[i], NULL, run_operations,
				   &runners[i]))
			fail("no thread");
	}
	if (options.locks)
		locks_begin();
	pthread_barrier_wait(&barrier);
	wait_seconds(options.seconds);
	atomic_store(&stop, true);
	stop_counting();
	*calls = 0;
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		rate += runners[i].rate;
		*calls += runners[i].count;
	}
	pthread_barrier_destroy(&barrier);
	return rate;
}

static void play(const struct scene *scene)
{
	struct result result = { .op = scene->ops[0],
				 .unit = "call",
				 .units = CALLS };
	uint64_t values[ROUNDS_SCALING], calls = 0;

	size = scene->size;
	operation = scene->size == 0 ? compute : map_unmap;
	/* The memory of threads that compute isn't used. */
	if (operation == compute)
		size = PAGE;
	else
		backend->open(scene->tables);
	get_memory();
	for (unsigned int i = 0; i < options.repeat; i++)
		values[i] = CALLS * 1e9 / run_threads(scene->threads, &calls);
	report(&result, values, options.repeat);
	if (options.locks)
		locks_print(calls, scene->threads);
}

static void run(unsigned int on, const char *name, size_t bytes,
		unsigned int tables)
{
	char op[32];
	struct scene scene = {
		on, { op }, .play = play, .size = bytes, .tables = tables
	};

	snprintf(scene.rest, sizeof(scene.rest), "%s", name);
	for (unsigned int i = 0; options.threads[i]; i++) {
		snprintf(op, sizeof(op), "threads=%u", options.threads[i]);
		scene.threads = options.threads[i];
		scene_run(&scene);
	}
}

void play_scaling(void)
{
	unsigned int on = ON_IOMMUFD | ON_TYPE1 | ON_FLOOR;

	if (options.repeat > ROUNDS_SCALING)
		options.repeat = ROUNDS_SCALING;
	if (!options.locks)
		run(ON_IOMMUFD, "compute", 0, 0);
	run(on, "scale/4k", PAGE, 1);
	run(on, "scale/1M", MIB, 1);
	if (options.locks)
		return;
	run(ON_IOMMUFD, "scale/4k/tables=0", PAGE, 0);
	run(ON_IOMMUFD, "scale/1M/tables=0", MIB, 0);
}
