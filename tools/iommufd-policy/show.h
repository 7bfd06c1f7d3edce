/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __SHOW_H
#define __SHOW_H

#include "../lib/attached.h"

/* One line for each policy, in the order in which they are asked. */
void show_list(const struct attached *list, size_t nr, bool json);

/* Prints a policy with its settings and statistics. */
void show_policy(const struct attached *policy, bool json);

#endif
