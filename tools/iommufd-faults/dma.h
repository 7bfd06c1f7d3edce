/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DMA that the IOMMU refused, from the kernel's log. */
#ifndef __DMA_H
#define __DMA_H

#include "../lib/dma_explain.h"
#include "../lib/dma_fault.h"
#include "../lib/holder.h"
#include "options.h"

/**
 * struct burst - faults of one device with the same access and cause
 * @last: the last one
 * @holder: the process that had the device then; pid 0 if there was none
 * @why: what is at the address of the last one, or of one shortly before it
 * @count: faults that have not been printed
 * @last_ns: when the last one was read, on the monotonic clock
 */
struct burst {
	struct dma_fault last;
	struct holder holder;
	struct dma_explanation why;
	__u64 count;
	__u64 last_ns;
};

struct json_object;

/* Lists the faults, or prints totals in each interval; returns the status. */
int dma_run(struct options *options);

void print_dma_titles(const struct options *options);
/* The last fault of a burst, for @count of them. */
void print_dma_fault(const struct burst *burst, const struct options *options);
/* @lost: messages of the log that were missed since the start. */
void print_dma_sums(const struct burst *bursts, size_t nr, __u64 interval_ns,
		    __u64 lost, const struct options *options);

/* Prints what is at the address, in lines of text, or as members of an object. */
void print_why(const struct burst *burst);
void print_why_json(struct json_object *to, const struct burst *burst);

#endif
