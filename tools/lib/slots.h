/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_SLOTS_H
#define __LIB_SLOTS_H

#include <stddef.h>
#include "../../bpf/slots.h"
#include "json.h"

/* Adds the counts of another CPU. */
void slots_merge(struct slots *to, const struct slots *from);

/* Number of values and their mean, which is 0 without values. */
__u64 slots_total(const struct slots *slots);
__u64 slots_mean(const struct slots *slots);

/* Smallest and largest value of a slot. */
__u64 slots_first(unsigned int slot);
__u64 slots_last(unsigned int slot);

/* A column of the table below. */
struct slots_column {
	const char *title;
	const struct slots *slots;
};

/*
 * Prints a table with one line per slot, from the first to the last that any
 * column uses, and a bar chart of the first column:
 *
 *	     nsecs           : total   lock     |total               |
 *	  1024 -> 2047       : 12      0        |**********          |
 */
void slots_print(const char *unit, const struct slots_column *columns,
		 size_t nr);

/*
 * An object with sum_ns, max_ns and "slots", an array of [first, last, count]
 * with the slots that are not empty.
 */
struct json_object *slots_object(const struct slots *slots);

#endif
