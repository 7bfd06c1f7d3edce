// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * usage: fuzz [OPTION...]
 *
 *   --seconds N      time to run (60)           --sequences N    number of sequences instead
 *   --seed N         of the first sequence      --flavour NAME   plain, failnth, limited, threads
 *   --steps N        at most N steps            --timeout N      seconds a sequence may take (60)
 *   --device PATH    use a VFIO device instead of the mock
 *   --common         leave out known differences between kernels
 *   --lenient        predict nothing
 *   --trace          print each sequence        --minimise       reduce failing sequences
 *   --keep N,N,...   only these steps           --kcov           print the addresses reached
 *   --progress       print each seed before its sequence
 *
 * Exit status: 0 if nothing was found, 1 if something was.
 */

#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "fuzz.h"

/* The number of sequences between two checks of the whole machine. */
#define BATCH 64

struct options options = { .seconds = 60, .timeout = 60, .flavour = -1 };

static unsigned long findings, sequences, calls;
static long pinned;
static bool charged;

/* Whether a failure differs from the earlier ones. */
static bool is_new(const struct result *result)
{
	static char known[32][512];
	static unsigned int n;
	const char *how = strchr(result->message, ',') ?: result->message;

	for (unsigned int i = 0; i < n; i++)
		if (!strncmp(known[i], how, sizeof(known[i]) - 1))
			return false;
	if (n < ARRAY_SIZE(known))
		snprintf(known[n++], sizeof(known[0]), "%s", how);
	return true;
}

static void found(uint64_t seed, struct result *result)
{
	findings++;
	printf("FINDING seed %llu %s: %s\n", (unsigned long long)seed,
	       flavour_names[flavour_of(seed)], result->message);
	if (is_new(result) && options.minimise)
		minimise(seed, result);
}

/* False if the run cannot continue. */
static bool one(uint64_t seed, struct result *result)
{
	bool alive;

	if (options.progress)
		printf("@ %llu\n", (unsigned long long)seed);
	alive = child_run(seed, result);
	sequences++;
	calls += result->calls;
	if (options.trace)
		printf("SEQUENCE %llu %s\n%.*s", (unsigned long long)seed,
		       flavour_names[flavour_of(seed)], (int)result->trace_size,
		       result->trace);
	if (result->failed)
		found(seed, result);
	return alive;
}

static bool left(void)
{
	return pinned_pages() != pinned || (!charged && charges_left());
}

/* One of these left something: repeats them to find out which. */
static void search(uint64_t first, uint64_t end, struct result *result)
{
	findings++;
	printf("FINDING seeds %llu to %llu: %ld pages are pinned%s\n",
	       (unsigned long long)first, (unsigned long long)end - 1,
	       pinned_pages() - pinned,
	       charges_left() ? ", some are charged" : "");
	for (uint64_t seed = first; seed < end; seed++) {
		charged = charges_left();
		pinned = pinned_pages();
		if (!child_run(seed, result))
			return;
		if (left())
			printf("  by seed %llu %s\n", (unsigned long long)seed,
			       flavour_names[flavour_of(seed)]);
	}
	charged = charges_left();
	pinned = pinned_pages();
}

static bool time_left(time_t start)
{
	if (options.sequences)
		return sequences < options.sequences;
	return time(NULL) - start < options.seconds;
}

static void run(struct result *result)
{
	time_t start = time(NULL);
	uint64_t seed = options.seed, first = seed;

	pinned = pinned_pages();
	charged = charges_left();
	while (time_left(start)) {
		if (!one(seed++, result))
			break;
		if (seed - first < BATCH && time_left(start))
			continue;
		if (left())
			search(first, seed, result);
		first = seed;
	}
	printf("seeds %llu to %llu: %lu sequences, %lu calls, %ld s, %lu findings\n",
	       (unsigned long long)options.seed, (unsigned long long)seed - 1,
	       sequences, calls, time(NULL) - start, findings);
}

static void report(const struct result *result)
{
	unsigned int count;
	const struct op *ops = ops_of(&count);

	for (unsigned int i = 0; i < count; i++)
		printf("  %-16s %8lu done %8lu refused\n", ops[i].name,
		       result->done[i], result->refused[i]);
}

static int flavour_named(const char *name)
{
	for (int i = 0; i < FLAVOURS; i++)
		if (!strcmp(name, flavour_names[i]))
			return i;
	return -1;
}

static void keep(char *list)
{
	memset(options.skip, true, sizeof(options.skip));
	for (char *each = strtok(list, ","); each; each = strtok(NULL, ",")) {
		unsigned long i = strtoul(each, NULL, 0);

		if (i < MOST_STEPS)
			options.skip[i] = false;
	}
}

static const struct option known[] = {
	{ "seconds", 1, NULL, 's' },
	{ "sequences", 1, NULL, 'n' },
	{ "seed", 1, NULL, 'r' },
	{ "flavour", 1, NULL, 'f' },
	{ "steps", 1, NULL, 'l' },
	{ "timeout", 1, NULL, 't' },
	{ "device", 1, NULL, 'd' },
	{ "common", 0, NULL, 'c' },
	{ "lenient", 0, NULL, 'w' },
	{ "trace", 0, NULL, 'v' },
	{ "minimise", 0, NULL, 'm' },
	{ "keep", 1, NULL, 'x' },
	{ "kcov", 0, NULL, 'k' },
	{ "progress", 0, NULL, 'p' },
	{},
};

static bool take(int option)
{
	switch (option) {
	case 's':
		options.seconds = atoi(optarg);
		return true;
	case 'n':
		options.sequences = strtoull(optarg, NULL, 0);
		return true;
	case 'r':
		options.seed = strtoull(optarg, NULL, 0);
		return true;
	case 'f':
		options.flavour = flavour_named(optarg);
		return options.flavour >= 0;
	case 'l':
		options.steps = atoi(optarg);
		return true;
	case 't':
		options.timeout = atoi(optarg);
		return true;
	case 'd':
		options.device = optarg;
		return true;
	case 'c':
		return options.common = true;
	case 'w':
		return options.lenient = true;
	case 'v':
		return options.trace = true;
	case 'm':
		return options.minimise = true;
	case 'x':
		keep(optarg);
		return true;
	case 'k':
		kcov_open();
		return true;
	case 'p':
		return options.progress = true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	struct result *result;
	sigset_t set;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (!take(option))
			return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!failnth_prepare())
		fprintf(stderr, "this kernel can't make allocations fail\n");
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED)
		return 2;
	run(result);
	report(result);
	kcov_print();
	return findings ? 1 : 0;
}
