// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reduces a failing sequence: removes steps, first many at a time, then one by
 * one, as long as it still fails in the same way.
 */

#include <stdio.h>
#include <string.h>

#include "fuzz.h"

/* How it failed, without the number of the step. */
static const char *how(const struct result *result)
{
	const char *comma = strchr(result->message, ',');

	return comma ? comma : result->message;
}

static bool still_fails(uint64_t seed, struct result *result, const char *as)
{
	/* Concurrent threads do not meet in the same way each time. */
	unsigned int tries = flavour_of(seed) == THREADS ? 5 : 1;

	while (tries--)
		if (child_run(seed, result) && result->failed &&
		    !strcmp(how(result), as))
			return true;
	return false;
}

static unsigned int drop(uint64_t seed, struct result *result, const char *as,
			 unsigned int steps, unsigned int size)
{
	bool before[MOST_STEPS];
	unsigned int dropped = 0;

	for (unsigned int first = 0; first < steps; first += size) {
		unsigned int new = 0;

		memcpy(before, options.skip, sizeof(before));
		for (unsigned int i = first; i < first + size && i < steps;
		     i++) {
			new += !options.skip[i];
			options.skip[i] = true;
		}
		if (!new)
			continue;
		if (still_fails(seed, result, as))
			dropped += new;
		else
			memcpy(options.skip, before, sizeof(before));
	}
	return dropped;
}

void minimise(uint64_t seed, struct result *result)
{
	unsigned int size, steps = result->steps, dropped;
	char as[sizeof(result->message)];

	snprintf(as, sizeof(as), "%s", how(result));
	for (size = (steps + 1) / 2; size; size /= 2)
		do
			dropped = drop(seed, result, as, steps, size);
		while (size == 1 && dropped);
	still_fails(seed, result, as);
	printf("  --keep ");
	for (unsigned int i = 0; i < steps; i++)
		if (!options.skip[i])
			printf("%u,", i);
	printf("\n%.*s", (int)result->trace_size, result->trace);
	memset(options.skip, 0, sizeof(options.skip));
}
