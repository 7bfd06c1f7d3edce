// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include "../lib/names.h"
#include "refused.h"

/* Maps that are remembered; the oldest ones are replaced. */
#define MAPS 1024

struct refused {
	__u32 ctx;
	__u32 ioas;
	__u64 first;
	__u64 last;
	__u32 reason;
};

static struct refused maps[MAPS];
static size_t next;

static void note_map(const struct failure *failure)
{
	const struct why_subject *map = &failure->subject;

	maps[next++ % MAPS] = (struct refused){
		.ctx = failure->fail.ctx,
		.ioas = map->ioas,
		.first = map->iova,
		.last = map->iova + map->length - 1,
		.reason = failure->fail.reason,
	};
}

static void note_unmap(struct failure *failure)
{
	const struct why_subject *unmap = &failure->subject;
	const char *reason = NULL;

	for (size_t i = 0; i < MAPS && !reason; i++)
		if (maps[i].ctx == failure->fail.ctx &&
		    maps[i].ioas == unmap->ioas &&
		    maps[i].first <= failure->fail.first &&
		    maps[i].last >= failure->fail.first)
			reason = names_reason(maps[i].reason);
	if (reason)
		snprintf(failure->refused, sizeof(failure->refused), "%s",
			 reason);
}

void refused_note(struct failure *failure)
{
	const char *reason = names_reason(failure->fail.reason);

	if (failure->subject.kind == WHY_MAP && failure->subject.length)
		note_map(failure);
	else if (failure->subject.kind == WHY_UNMAP && reason &&
		 !strcmp(reason, "not_mapped"))
		note_unmap(failure);
}
