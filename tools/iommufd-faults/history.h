/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The last unmaps, and the last attaches and detaches of devices. */
#ifndef __HISTORY_H
#define __HISTORY_H

#include <linux/types.h>
#include <stdbool.h>
#include "../../bpf/iommufd_history.h"
#include "../lib/source.h"

struct history;

/*
 * Begins to remember the last @size unmaps. Returns NULL after reporting an
 * error.
 */
struct history *history_open(enum source_kind kind, __u32 size);
void history_close(struct history *history);

/* How far back all unmaps are known. */
__u64 history_reach_ns(const struct history *history);

/*
 * The last unmap of @iova in an IOAS of the process @tgid; false if none is
 * known.
 */
bool history_find_unmap(const struct history *history, __u32 ctx, __u32 ioas,
			__u32 tgid, __u64 iova, struct history_unmap *unmap);

/* The last change of an attachment of a device; PASID 0 is the device itself. */
bool history_find_attach(const struct history *history, const char *device,
			 __u32 pasid, struct history_attach *attach);

#endif
