// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * usage: stress SECONDS SEED [THREADS]
 *
 * Needs root: most threads become the user nobody, who must be able to open
 * /dev/iommu and may lock only little memory.
 *
 * Prints a line for each kind of call: how often it succeeded and how often it
 * failed. The exit status is 0 if all threads ended and all required calls
 * succeeded.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stress.h"

#define MOST_THREADS 64
#define NOBODY	     65534
#define MEMLOCK	     (8 * HUGE)

static struct world world;
static pthread_barrier_t ready;

static const struct op *choose(struct worker *worker)
{
	unsigned int total = 0, i;
	uint64_t at;

	for (i = 0; i < op_count; i++)
		total += ops[i].weight;
	at = below(worker, total);
	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return &ops[i];
}

/*
 * Makes a thread subject to a limit. Uses the system call, as that of the C
 * library would change all threads: the main thread must keep its privileges,
 * so that it is not affected by charges.
 */
static void become_nobody(void)
{
	if (!geteuid() && syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY))
		die("setresuid");
}

static void *disorder(void *argument)
{
	struct worker *worker = argument;

	become_nobody();
	while (!worker->world->stop) {
		const struct op *op = choose(worker);

		worker->context =
			&worker->world->contexts[below(worker, CONTEXTS)];
		if (op->run(worker))
			worker->done[op - ops]++;
		else
			worker->refused[op - ops]++;
	}
	return NULL;
}

/*
 * Gives a thread its own table of descriptors, from before there is a context:
 * a descriptor that another thread uses must not become a file of this one.
 */
static void *order(void *argument)
{
	struct worker *worker = argument;

	if (unshare(CLONE_FILES))
		die("unshare");
	pthread_barrier_wait(&ready);
	while (!worker->world->stop) {
		check_own(worker);
		worker->done[0]++;
	}
	return NULL;
}

static void report(const struct worker *workers, unsigned int threads)
{
	for (unsigned int i = 0; i < op_count; i++) {
		unsigned long done = 0, refused = 0;

		for (unsigned int t = 1; t < threads; t++) {
			done += workers[t].done[i];
			refused += workers[t].refused[i];
		}
		printf("%s %lu %lu\n", ops[i].name, done, refused);
	}
	printf("check_own %lu 0\n", workers[0].done[0]);
}

int main(int argc, char **argv)
{
	static struct worker workers[MOST_THREADS];
	pthread_t threads[MOST_THREADS];
	const struct rlimit limit = { MEMLOCK, MEMLOCK };
	unsigned int count = argc > 3 ? atoi(argv[3]) : 5;

	if (argc < 3 || count < 2 || count > MOST_THREADS ||
	    op_count > ARRAY_SIZE(workers->done)) {
		fprintf(stderr, "usage: stress SECONDS SEED [THREADS]\n");
		return 2;
	}
	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		die("setrlimit");
	make_memory(&world);
	pthread_barrier_init(&ready, NULL, 2);
	for (unsigned int i = 0; i < count; i++) {
		workers[i].world = &world;
		/* Any number but 0 will do as a start. */
		workers[i].random =
			strtoull(argv[2], NULL, 0) * MOST_THREADS + i + 1;
		if (pthread_create(&threads[i], NULL, i ? disorder : order,
				   &workers[i]))
			die("pthread_create");
		if (i)
			continue;
		pthread_barrier_wait(&ready);
		for (unsigned int c = 0; c < CONTEXTS; c++)
			open_context(&world.contexts[c]);
	}
	sleep(atoi(argv[1]));
	world.stop = true;
	for (unsigned int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < CONTEXTS; i++)
		close_context(&world.contexts[i]);
	report(workers, count);
	return 0;
}
