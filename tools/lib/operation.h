/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_OPERATION_H
#define __LIB_OPERATION_H

#include "../../bpf/operation.h"

/**
 * struct operation_names - names of an operation in the output of tools
 * @name: for programs
 * @amount: what it handles
 * @all_amount: the same since the start
 * @sparkline: title of its sparkline, or NULL
 */
struct operation_names {
	const char *name;
	const char *amount;
	const char *all_amount;
	const char *sparkline;
};

extern const struct operation_names operation_names[OPS];

#endif
