/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __PRI_H
#define __PRI_H

#include <stdbool.h>
#include "failure.h"

/* Remembers a page table with a fault queue that has been allocated. */
void pri_note_queue(const struct why_subject *table);

/*
 * Whether the failed request was to attach a PCI device that has no page
 * request interface (PRI) to a page table with a fault queue.
 */
bool pri_is_missing(const struct failure *failure);

#endif
