// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "slots.h"

#define BAR_WIDTH 40

void slots_merge(struct slots *to, const struct slots *from)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		to->count[i] += from->count[i];
	to->sum += from->sum;
	if (to->max < from->max)
		to->max = from->max;
}

__u64 slots_total(const struct slots *slots)
{
	__u64 total = 0;

	for (unsigned int i = 0; i < SLOTS; i++)
		total += slots->count[i];
	return total;
}

__u64 slots_mean(const struct slots *slots)
{
	__u64 total = slots_total(slots);

	return total ? slots->sum / total : 0;
}

__u64 slots_first(unsigned int slot)
{
	return slot ? 1ULL << (slot - 1) : 0;
}

__u64 slots_last(unsigned int slot)
{
	return slot == SLOTS - 1 ? ~0ULL : (1ULL << slot) - 1;
}

static bool in_use(const struct slots_column *columns, size_t nr,
		   unsigned int slot)
{
	for (size_t i = 0; i < nr; i++)
		if (columns[i].slots->count[slot])
			return true;
	return false;
}

static void print_line(const struct slots_column *columns, size_t nr,
		       unsigned int slot, __u64 most)
{
	static const char stars[] = "****************************************";
	__u64 count = columns->slots->count[slot];
	int length = most ? (count * BAR_WIDTH + most - 1) / most : 0;

	if (!slot)
		printf("%10d %13s :", 0, "");
	else if (slot == SLOTS - 1)
		printf("%10llu -> %-10s :", slots_first(slot), "");
	else
		printf("%10llu -> %-10llu :", slots_first(slot),
		       slots_last(slot));
	for (size_t i = 0; i < nr; i++)
		printf(" %-8llu", columns[i].slots->count[slot]);
	printf(" |%-*.*s|\n", BAR_WIDTH, length, stars);
}

void slots_print(const char *unit, const struct slots_column *columns,
		 size_t nr)
{
	unsigned int first = SLOTS, last = 0;
	__u64 most = 0;

	for (unsigned int i = 0; i < SLOTS; i++) {
		if (columns->slots->count[i] > most)
			most = columns->slots->count[i];
		if (!in_use(columns, nr, i))
			continue;
		/* No value is between 0 and the first larger one. */
		if (i && first > i)
			first = i;
		last = i;
	}
	printf("%10s %13s :", unit, "");
	for (size_t i = 0; i < nr; i++)
		printf(" %-8s", columns[i].title);
	printf(" |%-*s|\n", BAR_WIDTH, columns->title);
	if (in_use(columns, nr, 0))
		print_line(columns, nr, 0, most);
	for (unsigned int i = first; i <= last; i++)
		print_line(columns, nr, i, most);
}

struct json_object *slots_object(const struct slots *slots)
{
	struct json_object *out = json_object_new_object();
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < SLOTS; i++) {
		struct json_object *slot;

		if (!slots->count[i])
			continue;
		slot = json_object_new_array();
		json_object_array_add(slot,
				      json_object_new_uint64(slots_first(i)));
		json_object_array_add(slot,
				      json_object_new_uint64(slots_last(i)));
		json_object_array_add(slot,
				      json_object_new_uint64(slots->count[i]));
		json_object_array_add(array, slot);
	}
	json_add_u64(out, "sum_ns", slots->sum);
	json_add_u64(out, "max_ns", slots->max);
	json_add(out, "slots", array);
	return out;
}
