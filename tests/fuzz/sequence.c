// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One sequence, in a process of its own. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

#define THREADS_MOST	     4
#define DEFAULT_MEMORY_LIMIT 65536

const char *const flavour_names[FLAVOURS] = { "plain", "failnth", "limited",
					      "threads" };

enum flavour flavour_of(uint64_t seed)
{
	static const enum flavour often[] = { PLAIN,   PLAIN,	PLAIN,
					      FAILNTH, FAILNTH, LIMITED,
					      THREADS, THREADS };
	struct rng rng = rng_of(seed, UINT32_MAX);

	if (options.flavour >= 0)
		return options.flavour;
	return often[below(&rng, ARRAY_SIZE(often))];
}

/* Without privileges, and with a low limit of locked memory. */
static void drop_rights(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};
	struct rlimit limit = { 64 * PAGE, 64 * PAGE };

	setrlimit(RLIMIT_MEMLOCK, &limit);
	syscall(SYS_capset, &head, data);
}

static unsigned int choose(struct run *run)
{
	unsigned int count, total = 0, i;
	const struct op *ops = ops_of(&count);
	uint64_t at;

	for (i = 0; i < count; i++)
		total += ops[i].weight;
	at = below(&run->rng, total);
	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return i;
}

static unsigned int kinds_there(const struct world *world)
{
	unsigned int kinds = 0;

	for (unsigned int i = 0; i < world->nr_objects; i++)
		if (world->objects[i]->alive)
			kinds |= 1 << world->objects[i]->kind;
	return kinds;
}

/* A step whose needed objects exist, with some exceptions. */
static unsigned int choose_useful(struct run *run)
{
	unsigned int count, there = kinds_there(run->world), op = 0;
	const struct op *ops = ops_of(&count);

	for (unsigned int tries = 0; tries < 20; tries++) {
		op = choose(run);
		if (!(ops[op].needs & ~there) || chance(&run->rng, 3))
			break;
	}
	return op;
}

bool wrong(struct run *run, unsigned int percent)
{
	return below(&run->rng, 10000) < percent * run->world->nasty;
}

static void step(struct run *run, uint64_t seed, unsigned int thread)
{
	struct world *world = run->world;
	unsigned int count;

	if (run->step < MOST_STEPS && options.skip[run->step])
		return;
	run->rng = rng_of(seed, run->step + ((uint64_t)thread << 16));
	run->op = choose_useful(run);
	run->want = (struct want){};
	run->strict = false;
	if (run->nth_fd >= 0 && chance(&run->rng, 40))
		run->nth = 1 + below(&run->rng, chance(&run->rng, 80) ? 6 : 30);
	ops_of(&count)[run->op].run(run);
	/* Unless the step made a call. */
	run->nth = 0;
	world->result->step = run->step;
}

static unsigned int steps_of(uint64_t seed)
{
	struct rng rng = rng_of(seed, UINT32_MAX - 1);
	unsigned int steps = 20 + below(&rng, 130);

	return options.steps && options.steps < steps ? options.steps : steps;
}

static int nth_of(const struct world *world)
{
	if (world->flavour != FAILNTH &&
	    (world->flavour != THREADS || world->seed % 3))
		return -1;
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

struct thread {
	struct world *world;
	unsigned int number;
	pthread_t thread;
};

static void *run_thread(void *argument)
{
	struct thread *thread = argument;
	struct world *world = thread->world;
	struct run run = { .world = world, .nth_fd = nth_of(world) };
	unsigned int steps = steps_of(world->seed);

	kcov_start();
	for (run.step = 0; run.step < steps && !world->result->failed;
	     run.step++) {
		locked(&run);
		step(&run, world->seed, thread->number);
		unlocked(&run);
	}
	if (run.nth_fd >= 0)
		close(run.nth_fd);
	/* The first thread also ends at the end of the sequence. */
	if (thread->number)
		kcov_stop();
	return NULL;
}

static void run_threads(struct world *world)
{
	struct thread threads[THREADS_MOST];
	unsigned int n = world->flavour == THREADS ? THREADS_MOST : 1;

	for (unsigned int i = 0; i < n; i++) {
		threads[i] = (struct thread){ .world = world, .number = i };
		if (i)
			pthread_create(&threads[i].thread, NULL, run_thread,
				       &threads[i]);
	}
	run_thread(&threads[0]);
	for (unsigned int i = 1; i < n; i++)
		pthread_join(threads[i].thread, NULL);
}

/* The peer's mock forgets the PASIDs of a device that is destroyed. */
static void detach_pasids(struct world *world)
{
	for (unsigned int i = 0; options.common && i < world->nr_objects; i++)
		if (is(world->objects[i], STDEV))
			pasids_detach(world, world->objects[i]);
}

/*
 * Closes all descriptors except the standard ones, and with them their objects.
 */
static void close_all(struct world *world)
{
	for (unsigned int i = 0; i < world->nr_objects; i++) {
		struct object *viommu = world->objects[i];

		for (unsigned int m = 0; m < ARRAY_SIZE(viommu->maps); m++)
			if (viommu->maps[m])
				munmap(viommu->maps[m], viommu->length);
	}
	close(world->fd);
	close_range(3, ~0U, 0);
}

static void reset_limit(int fd)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT,
		.memory_limit.limit = DEFAULT_MEMORY_LIMIT,
	};

	ioctl(fd, IOMMU_TEST_CMD, &cmd);
}

void sequence(uint64_t seed, struct result *result)
{
	struct rng rng = rng_of(seed, UINT32_MAX - 2);
	static struct world world;

	world = (struct world){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.flavour = flavour_of(seed),
		.seed = seed,
		.result = result,
	};
	world.nasty = (unsigned int[]){ 0, 10, 20, 100 }[below(&rng, 4)];
	world.wild = world.flavour == THREADS;
	result->steps = steps_of(seed);
	memories_open(&world);
	world.fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (world.flavour == LIMITED)
		drop_rights();
	run_threads(&world);
	detach_pasids(&world);
	reset_limit(world.fd);
	close_all(&world);
	kcov_stop();
	if (!result->failed && !options.lenient &&
	    left_in_process(&world, result->message, sizeof(result->message)))
		result->failed = true;
}
