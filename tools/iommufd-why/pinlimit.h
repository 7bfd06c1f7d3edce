/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The limit of the policy pinlimit that a request would have exceeded, from the
 * maps of the policy. Needs CAP_SYS_ADMIN.
 */
#ifndef __PINLIMIT_H
#define __PINLIMIT_H

#include <stdbool.h>
#include "failure.h"

/*
 * Writes whose limit it is, what is pinned and the limit, or a command that
 * raises the limit, to @text of FACT_SIZE bytes. Returns false if the policy is
 * another one, or can't be read.
 */
bool find_pinlimit(const struct failure *failure, char *text);
bool find_raise(const struct failure *failure, char *text);

#endif
