// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the options, see `workload --help`. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "marker.h"

#define THREADS 2
/* Instructions repeat, real time does not. */
#define ROUNDS	    2
#define ROUNDS_WALL 15

struct options options = { .size = 512 * MIB, .seconds = 1 };
const struct backend *backend = &iommufd_backend;
static unsigned long threads = THREADS;
static bool only_threads;
static bool only_hold;
static bool only_scaling;

enum {
	KEY_SIZE = 256,
	KEY_REPEAT,
	KEY_WALL,
	KEY_ONLY,
	KEY_LIST,
	KEY_BACKEND,
	KEY_THREADS,
	KEY_HOLD,
	KEY_SCALING,
	KEY_SECONDS,
	KEY_LOCKS,
	KEY_FULL,
};

static const struct argp_option choices[] = {
	{ "backend", KEY_BACKEND, "NAME", 0,
	  "what maps: iommufd (default), type1, floor, the mock, pinlimit, or smmu",
	  0 },
	{ "list", KEY_LIST, NULL, 0, "list the cases", 0 },
	{ "full", KEY_FULL, NULL, 0, "also cases that take minutes", 0 },
	{ "only", KEY_ONLY, "GLOB", 0, "only cases that match", 0 },
	{ "size", KEY_SIZE, "MIB", 0, "memory that is mapped (512)", 0 },
	{ "repeat", KEY_REPEAT, "N", 0, "measured rounds (2; 15)", 0 },
	{ "wall", KEY_WALL, NULL, 0,
	  "the clock shows real time: threads are measured, too", 0 },
	{ "threads", KEY_THREADS, "N", 0,
	  "only this: one thread and N that map, in real time", 0 },
	{ "hold", KEY_HOLD, NULL, 0,
	  "only this: a map that waits for another thread's unmap", 0 },
	{ "scaling", KEY_SCALING, "N[,N...]", 0,
	  "only this: throughput with each number of threads", 0 },
	{ "seconds", KEY_SECONDS, "S", 0,
	  "how long each case of --scaling and --locks runs (1)", 0 },
	{ "locks", KEY_LOCKS, "N", 0,
	  "only this: the locks that N threads take, from the kernel's lockstat",
	  0 },
	{ 0 },
};

static const struct backend *const backends[] = {
	&iommufd_backend, &type1_backend,    &floor_backend,
	&mock_backend,	  &pinlimit_backend, &smmu_backend,
};

static const struct backend *find_backend(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	return NULL;
}

static unsigned long number(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || !value || value > 1 << 20)
		argp_error(state, "%s: not a valid number", text);
	return value;
}

static void thread_counts(char *list, struct argp_state *state)
{
	unsigned int n = 0;

	for (char *word; (word = strsep(&list, ","));) {
		unsigned long count = number(word, state);

		if (count > MAX_THREADS || n == MAX_COUNTS)
			argp_error(state,
				   "--scaling: at most %d threads and %d numbers",
				   MAX_THREADS, MAX_COUNTS);
		options.threads[n++] = count;
	}
}

static double seconds(const char *text, struct argp_state *state)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0.01 && value <= 3600))
		argp_error(state, "%s: not a valid time", text);
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case KEY_BACKEND:
		backend = find_backend(arg);
		if (!backend)
			argp_error(state, "there is no backend %s", arg);
		return 0;
	case KEY_FULL:
		options.full = true;
		return 0;
	case KEY_LIST:
		options.list = true;
		return 0;
	case KEY_ONLY:
		options.only = arg;
		return 0;
	case KEY_REPEAT:
		options.repeat = number(arg, state);
		return 0;
	case KEY_SIZE:
		options.size = number(arg, state) * MIB;
		if (options.size < 16 * HUGE ||
		    options.size & (options.size - 1))
			argp_error(state, "--size: a power of two, 32 or more");
		return 0;
	case KEY_THREADS:
		threads = number(arg, state);
		only_threads = true;
		return 0;
	case KEY_SCALING:
		thread_counts(arg, state);
		only_scaling = true;
		return 0;
	case KEY_LOCKS:
		thread_counts(arg, state);
		only_scaling = true;
		options.locks = true;
		return 0;
	case KEY_SECONDS:
		options.seconds = seconds(arg, state);
		return 0;
	case KEY_HOLD:
		only_hold = true;
		return 0;
	case KEY_WALL:
		options.wall = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void play(void)
{
	bool all = !only_threads && !only_hold && !only_scaling;

	if (all && backend == &mock_backend)
		play_mock();
	else if (all && backend == &smmu_backend)
		play_smmu();
	else if (all)
		play_cases();
	if (only_threads || (all && options.wall))
		play_threads(threads);
	if (only_hold || (all && options.wall))
		play_hold();
	if (only_scaling) {
		play_scaling();
		if (!options.locks)
			play_first();
	}
}

static const struct argp argp = {
	.options = choices,
	.parser = parse,
	.doc = "Measures what mapping memory for devices costs, in a guest; "
	       "scripts/bench runs it. A line of JSON for each case.",
};

int main(int argc, char **argv)
{
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (!options.repeat && only_scaling)
		options.repeat = 1;
	if (!options.repeat)
		options.repeat = options.wall ? ROUNDS_WALL : ROUNDS;
	marker_program();
	clock_calibrate();
	play();
	memory_put();
	return scene_status();
}
