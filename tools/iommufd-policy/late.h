/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LATE_H
#define __LATE_H

#include <stdbool.h>

/*
 * Charges the policy of a link for the pages that were pinned before it was
 * attached. If the kernel can't do this, reports it and returns true. Returns
 * false after reporting an error; some pages may have been charged then.
 */
bool late_charge(int link_fd);

#endif
