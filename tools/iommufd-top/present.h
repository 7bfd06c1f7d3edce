/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What there is, as opposed to what happens: from the iterators. */
#ifndef __PRESENT_H
#define __PRESENT_H

#include "../lib/list.h"
#include "report.h"

struct iommufd_top;

/*
 * Makes rows for what is there already when events begin to be counted. Returns
 * a negative errno if it can't.
 */
int present_adopt(struct iommufd_top *bpf, struct list *list);

/* Sets what the IOAS of a row has mapped and pinned now. */
void present_gauges(struct row_report *row, const struct listing *listing);

/* All pages pinned: several IOAS may keep a page pinned, which counts once. */
__u64 present_pinned(const struct listing *listing);

#endif
