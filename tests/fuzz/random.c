// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Random numbers that depend only on the seed: splitmix64. */

#include "fuzz.h"

uint64_t rnd(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

struct rng rng_of(uint64_t seed, uint64_t step)
{
	struct rng rng = { seed };

	rng.state = rnd(&rng) ^ step << 32;
	rnd(&rng);
	return rng;
}

uint64_t below(struct rng *rng, uint64_t limit)
{
	return rnd(rng) % limit;
}

bool chance(struct rng *rng, unsigned int percent)
{
	return below(rng, 100) < percent;
}
