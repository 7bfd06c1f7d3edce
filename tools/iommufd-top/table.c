// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "../lib/tool.h"
#include "model.h"

struct entry *table_add(struct table *table)
{
	if (table->nr == table->room) {
		table->room = table->room * 2 + 16;
		table->entries =
			tool_memory(reallocarray(table->entries, table->room,
						 sizeof(*table->entries)));
	}
	return memset(&table->entries[table->nr++], 0, sizeof(struct entry));
}

void table_free(struct table *table)
{
	free(table->entries);
	*table = (struct table){};
}
