/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Folds repeats: a program that tries the same thing hundreds of times must not
 * bury the other failures.
 */
#ifndef __FOLD_H
#define __FOLD_H

#include <stdbool.h>
#include "failure.h"

/*
 * Whether a failure is like one that was printed in the last seconds: the same
 * request of the same process, with the same error, reason or likely cause, device and policy.
 * If so, it is counted.
 */
bool fold_take(const struct failure *failure);

/* Passes the last failure and the number of all that were counted since. */
void fold_each(void (*print)(const struct failure *last, __u64 count));

#endif
