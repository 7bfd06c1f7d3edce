// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rounds that are timed and marked, and their output. */
#include <stdio.h>
#include <time.h>

#include "bench.h"
#include "marker.h"

#define ROUNDS 64
/* Shorter operations get more rounds: a timer tick would distort them. */
#define SHORT	    1000000
#define SHORT_TIMES 4
#define CLOCKS	    1000

/* The cost of reading the clock twice. */
static uint64_t clock_cost;
/* The number of regions so far. */
static unsigned int regions;

uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void clock_calibrate(void)
{
	clock_cost = UINT64_MAX;
	for (unsigned int i = 0; i < CLOCKS; i++) {
		uint64_t start = now(), cost = now() - start;

		if (cost < clock_cost)
			clock_cost = cost;
	}
}

static void print_string(const char *name, const char *text)
{
	printf("\"%s\": \"", name);
	for (; *text; text++)
		printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	putchar('"');
}

void report_error(const char *name, const char *text)
{
	putchar('{');
	print_string("case", name);
	fputs(", ", stdout);
	print_string("backend", backend->name);
	fputs(", ", stdout);
	print_string("error", text);
	puts("}");
	fflush(stdout);
}

static void print_result(const char *name, const struct result *result,
			 const uint64_t *values, unsigned int count)
{
	putchar('{');
	print_string("case", name);
	fputs(", ", stdout);
	print_string("op", result->op);
	fputs(", ", stdout);
	print_string("backend", backend->name);
	printf(", \"units\": %zu, ", result->units);
	print_string("unit", result->unit);
	fputs(", \"value\": [", stdout);
	for (unsigned int i = 0; i < count; i++)
		printf("%s%llu", i ? ", " : "", (unsigned long long)values[i]);
	putchar(']');
	if (result->runs)
		printf(", \"runs\": %zu", result->runs);
}

static void print_end(void)
{
	puts("}");
	fflush(stdout);
}

/* Reports a value that was not measured in rounds. */
void report(const struct result *result, const uint64_t *values,
	    unsigned int count)
{
	char name[CASE_NAME];
	int op = scene_case(result->op, name);

	if (op < 0)
		return;
	print_result(name, result, values, count);
	print_end();
	scene_reported(op);
}

static uint64_t time_step(step_fn *step)
{
	uint64_t start = now();

	marker_begin();
	step();
	marker_end();
	return now() - start - clock_cost;
}

static void do_step(step_fn *step)
{
	if (step)
		step();
}

/*
 * Each round does @before, @step, and @after, which undoes both. The first
 * round, which has cold caches, does not count.
 */
void measure(const struct result *result, step_fn *before, step_fn *step,
	     step_fn *after)
{
	unsigned int count = options.repeat, first = regions;
	uint64_t start;
	uint64_t values[ROUNDS];
	char name[CASE_NAME];
	int op = scene_case(result->op, name);

	if (op < 0)
		return;
	do_step(before);
	start = now();
	step();
	if (now() - start < SHORT)
		count *= SHORT_TIMES;
	if (count > ROUNDS)
		count = ROUNDS;
	do_step(after);
	for (unsigned int i = 0; i < count; i++) {
		do_step(before);
		regions++;
		values[i] = time_step(step);
		do_step(after);
	}
	print_result(name, result, values, count);
	printf(", \"regions\": [%u, %u]", first, regions - 1);
	print_end();
	scene_reported(op);
}
