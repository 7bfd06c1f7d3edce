// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include <time.h>
#include "../lib/loop.h"
#include "fold.h"

/* Kinds of failures that are remembered; further ones are not folded. */
#define KINDS 256
/* After this time without one, the next one is printed. */
#define FORGET_NS 10000000000ULL

struct kind {
	struct failure last;
	__u64 last_ns;
	__u64 count;
};

static struct kind kinds[KINDS];
static size_t nr;

static bool is_same(const struct failure *a, const struct failure *b)
{
	return a->fail.tgid == b->fail.tgid &&
	       a->fail.command == b->fail.command &&
	       a->fail.ret == b->fail.ret && a->fail.reason == b->fail.reason &&
	       a->fail.vfio == b->fail.vfio &&
	       (!a->fail.vfio || !strcmp(a->fail.file, b->fail.file)) &&
	       !strcmp(a->fail.policy, b->fail.policy) &&
	       !strcmp(a->subject.name, b->subject.name) &&
	       a->likely.rule == b->likely.rule &&
	       !strcmp(a->refused, b->refused) && !strcmp(a->holder, b->holder);
}

bool fold_take(const struct failure *failure)
{
	__u64 now = loop_clock(CLOCK_MONOTONIC);

	for (size_t i = 0; i < nr; i++) {
		struct kind *kind = &kinds[i];

		if (!is_same(&kind->last, failure))
			continue;
		kind->last = *failure;
		kind->last_ns = now;
		kind->count++;
		return true;
	}
	if (nr < KINDS)
		kinds[nr++] = (struct kind){ *failure, now, 0 };
	return false;
}

void fold_each(void (*print)(const struct failure *last, __u64 count))
{
	__u64 now = loop_clock(CLOCK_MONOTONIC);
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		if (kinds[i].count)
			print(&kinds[i].last, kinds[i].count);
		kinds[i].count = 0;
		if (now - kinds[i].last_ns < FORGET_NS)
			kinds[kept++] = kinds[i];
	}
	nr = kept;
}
