// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "../lib/dma_count.h"
#include "dma.h"

static struct dma_count *count;

void dma_open(void)
{
	count = dma_count_open();
}

void dma_close(void)
{
	dma_count_close(count);
	count = NULL;
}

void dma_take(struct model *model)
{
	struct table *devices = &model->table[VIEW_DEVICE];

	if (count)
		dma_count_read(count);
	for (size_t i = 0; i < devices->nr; i++) {
		struct entry *row = &devices->entries[i];
		bool known = count && *row->name;

		row->refused = known ? (__s64)dma_count_new(count, row->name) :
				       ABSENT;
		row->all_refused =
			known ? (__s64)dma_count_of(count, row->name) : ABSENT;
	}
	if (count)
		dma_count_mark(count);
}
