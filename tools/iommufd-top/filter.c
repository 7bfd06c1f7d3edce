// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/identity.h"
#include "view.h"
#include "cells.h"

static bool is_in(const struct scope *scope, const struct entry *row)
{
	return (!scope->pid || row->pid == scope->pid) &&
	       (!scope->ctx || row->ctx == scope->ctx) &&
	       (!scope->ioas || row->ioas == scope->ioas) &&
	       (!scope->hwpt || row->hwpt == scope->hwpt);
}

static bool has(const struct entry *row, enum view view, const char *filter)
{
	char buf[CELL_LEN], text[4 * CELL_LEN];

	if (!*filter)
		return true;
	snprintf(text, sizeof(text), "%u %s %s %s %s", row->pid, row->comm,
		 row->name, view == VIEW_HWPT ? cell_kind(buf, row) : "",
		 identity_vm_name(row->pid));
	return strcasestr(text, filter);
}

/* Adds a failure to the row of its reason; the most recent one is shown. */
static void add_failure(struct table *rows, const struct entry *failure)
{
	struct entry *sum = NULL, last = *failure;

	for (size_t i = 0; i < rows->nr && !sum; i++)
		if (rows->entries[i].reason == failure->reason)
			sum = &rows->entries[i];
	if (!sum) {
		*table_add(rows) = *failure;
		return;
	}
	if (sum->last.age_ns < last.last.age_ns)
		last = *sum;
	last.failed = sum->failed + failure->failed;
	last.all_failed = sum->all_failed + failure->all_failed;
	*sum = last;
}

/* Sets the shares of sizes relative to the most frequent one. */
static void set_shares(struct table *rows)
{
	__u64 most = 0;

	for (size_t i = 0; i < rows->nr; i++)
		if (most < rows->entries[i].op[OP_MAP].all_count)
			most = rows->entries[i].op[OP_MAP].all_count;
	for (size_t i = 0; i < rows->nr && most; i++)
		rows->entries[i].share =
			rows->entries[i].op[OP_MAP].all_count * 1000 / most;
}

static const struct sort *sorting;

#define THEN_BY(member)                                               \
	do {                                                          \
		if (left->member != right->member)                    \
			return left->member < right->member ? -1 : 1; \
	} while (0)

static int compare(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int by = column_compare(sorting->column, left, right);

	if (by)
		return sorting->reverse ? -by : by;
	THEN_BY(pid);
	THEN_BY(ctx);
	THEN_BY(ioas);
	THEN_BY(hwpt);
	THEN_BY(device);
	THEN_BY(size_min);
	THEN_BY(reason);
	return 0;
}

void filter_rows(struct table *rows, const struct model *model, enum view view,
		 const struct scope *scope, const char *filter,
		 const struct sort *sort)
{
	const struct table *from = &model->table[view];

	rows->nr = 0;
	for (size_t i = 0; i < from->nr; i++) {
		const struct entry *row = &from->entries[i];

		if (!is_in(scope, row) || !has(row, view, filter))
			continue;
		if (view == VIEW_FAILURE)
			add_failure(rows, row);
		else
			*table_add(rows) = *row;
	}
	if (view == VIEW_SIZE)
		set_shares(rows);
	sorting = sort;
	if (rows->nr)
		qsort(rows->entries, rows->nr, sizeof(*rows->entries), compare);
}
