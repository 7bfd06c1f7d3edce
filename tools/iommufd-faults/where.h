/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds what the IOAS of a device maps at the address of a fault. */
#ifndef __WHERE_H
#define __WHERE_H

#include "../lib/dma_explain.h"
#include "../lib/dma_fault.h"

struct where;

/* @history: how many unmaps to remember. */
struct where *where_open(bool verbose, __u32 history);
/* Reports, once, if explanations are not available on this machine. */
void where_report(struct where *where);
void where_close(struct where *where);

/* Explains a fault of a device that the process @pid has, 0 if none has it. */
void where_explain(struct where *where, const struct dma_fault *fault,
		   __u32 pid, struct dma_explanation *why);

#endif
