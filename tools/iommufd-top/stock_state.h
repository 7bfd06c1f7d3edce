/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The state of contexts and objects where there are no events of iommufd. */
#ifndef __STOCK_STATE_H
#define __STOCK_STATE_H

#include "owners.h"

struct stock_state;

/* Returns NULL after reporting an error, or if this kernel does not show it. */
struct stock_state *stock_state_open(__u32 pid);
void stock_state_close(struct stock_state *state);

/*
 * Adds rows of IOAS, page tables and devices to a model, and what processes
 * have to @processes. Returns false after reporting an error.
 */
bool stock_state_read(struct stock_state *state, struct owners *processes,
		      struct model *model);

/* Entries since the start that are missing. */
__u64 stock_state_lost(const struct stock_state *state);

#endif
