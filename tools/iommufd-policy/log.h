/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LOG_H
#define __LOG_H

#include "../lib/attached.h"

/*
 * Prints the unread records of a policy, which must be in the format of
 * policy_audit.h; @follow: also print new ones until a signal. Returns false
 * after reporting an error, such as a missing log or an unknown format.
 */
bool log_show(const struct attached *policy, bool follow, bool json);

#endif
