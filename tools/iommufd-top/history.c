// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/hash.h"
#include "../lib/tool.h"
#include "history.h"

/* Only the members that identify a row are set. */
struct key {
	__u32 view;
	__u32 pid;
	__u32 ctx;
	__u32 ioas;
	__u32 hwpt;
	__u32 device;
	__u32 reason;
	__u32 unused;
	__u64 size;
};

/**
 * struct curve - the rates of a row
 * @tick: of the last rate
 * @rate: by tick modulo HISTORY_LEN
 */
struct curve {
	struct hash_link link;
	struct key key;
	unsigned long tick;
	double rate[HISTORY_LEN];
};

struct history {
	struct hash curves;
	unsigned long tick;
	bool utf8;
};

struct history *history_open(void)
{
	struct history *history = tool_memory(calloc(1, sizeof(*history)));

	hash_init(&history->curves, sizeof(struct key), sizeof(struct curve));
	history->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	return history;
}

/* Removes curves without a rate in the last HISTORY_LEN intervals. */
static void forget(struct history *history)
{
	struct curve *curve, *next;

	for (curve = hash_next(&history->curves, NULL); curve; curve = next) {
		next = hash_next(&history->curves, curve);
		if (history->tick - curve->tick < HISTORY_LEN)
			continue;
		hash_remove(&history->curves, curve);
		free(curve);
	}
}

void history_close(struct history *history)
{
	hash_clear(&history->curves);
	free(history);
}

/* Rates of the same interval are added up. */
static void add(struct history *history, const struct key *key, double rate)
{
	struct curve *curve = hash_get(&history->curves, key);

	/* A new one: the first tick is 1. */
	if (!curve->tick)
		curve->tick = history->tick;
	for (; curve->tick != history->tick; curve->tick++)
		curve->rate[(curve->tick + 1) % HISTORY_LEN] = 0;
	curve->rate[history->tick % HISTORY_LEN] += rate;
}

static struct key key_of(enum view view, const struct entry *row)
{
	struct key key = { .view = view, .reason = row->reason };

	/* Failures are added up by reason. */
	if (view == VIEW_FAILURE)
		return key;
	key.pid = row->pid;
	key.ctx = row->ctx;
	if (view == VIEW_IOAS || view == VIEW_SIZE)
		key.ioas = row->ioas;
	if (view == VIEW_HWPT)
		key.hwpt = row->hwpt;
	key.device = row->device;
	key.size = row->size_min;
	return key;
}

/* Totals are of no view. */
static struct key key_of_total(enum operation op)
{
	return (struct key){ .view = VIEWS + op };
}

static __u64 sum(__u64 a, __u64 b)
{
	return (a == (__u64)ABSENT ? 0 : a) + (b == (__u64)ABSENT ? 0 : b);
}

static __u64 count_of(enum view view, const struct entry *row)
{
	switch (view) {
	case VIEW_HWPT:
		return sum(row->op[OP_INVALIDATE].count,
			   row->op[OP_DIRTY].count);
	case VIEW_DEVICE:
		return sum(row->faults, row->moves.count);
	case VIEW_FAILURE:
		return row->failed;
	default:
		return sum(row->op[OP_MAP].count, row->op[OP_UNMAP].count);
	}
}

void history_take(struct history *history, const struct model *model)
{
	const struct entry *total = &model->total;
	double per = 1e9 / model->interval_ns;

	history->tick++;
	for (int view = 0; view < VIEWS; view++)
		for (size_t i = 0; i < model->table[view].nr; i++) {
			const struct entry *row =
				&model->table[view].entries[i];
			struct key key = key_of(view, row);

			add(history, &key, count_of(view, row) * per);
		}
	for (int op = 0; op <= OPS; op++) {
		__u64 count = op < OPS ? total->op[op].count : total->failed;
		struct key key = key_of_total(op);

		add(history, &key, count * per);
	}
	forget(history);
}

static const char *draw(char *buf, struct history *history,
			const struct key *key, int width)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄",
					      "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { " ", ".", ",", "-", "~",
					     "=", "+", "*", "#" };
	const char *const *levels = history->utf8 ? blocks : ascii;
	const struct curve *curve = hash_find(&history->curves, key);
	double most = 0, rate[HISTORY_LEN] = {};
	char *at = buf;

	for (int i = 0; curve && i < width; i++) {
		unsigned long tick = history->tick - width + 1 + i;

		if (tick > curve->tick)
			continue;
		rate[i] = curve->rate[tick % HISTORY_LEN];
		if (most < rate[i])
			most = rate[i];
	}
	*at = '\0';
	for (int i = 0; i < width; i++) {
		int level = rate[i] > 0 ? 1 + (int)(7 * rate[i] / most) : 0;

		at = stpcpy(at, levels[level]);
	}
	return buf;
}

const char *history_row(char *buf, struct history *history, enum view view,
			const struct entry *row, int width)
{
	struct key key = key_of(view, row);

	return draw(buf, history, &key, width);
}

const char *history_total(char *buf, struct history *history, enum operation op,
			  int width)
{
	struct key key = key_of_total(op);

	return draw(buf, history, &key, width);
}
