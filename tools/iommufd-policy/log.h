/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LOG_H
#define __LOG_H

#include "attached.h"

/*
 * Prints the records that a policy has written and nobody has taken yet, as
 * policy_audit.h has them; @follow: and those to come, until a signal. False if
 * it keeps none, or none that are known here; why was said.
 */
bool log_show(const struct attached *policy, bool follow, bool json);

#endif
