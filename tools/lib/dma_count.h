/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counts DMA that IOMMUs refused, by device, for tools that show other things, too. */
#ifndef __LIB_DMA_COUNT_H
#define __LIB_DMA_COUNT_H

#include <linux/types.h>
#include <stddef.h>

#define DMA_COUNT_NAME 64

struct dma_count;

/* Starts to count. Returns NULL, without a message, if the log can't be read. */
struct dma_count *dma_count_open(void);
void dma_count_close(struct dma_count *count);

/* Reads the log up to now. */
void dma_count_read(struct dma_count *count);

/* Faults of a device that have been read. */
__u64 dma_count_of(const struct dma_count *count, const char *device);

/* Those since the last dma_count_mark(). */
__u64 dma_count_new(const struct dma_count *count, const char *device);
void dma_count_mark(struct dma_count *count);

/*
 * For loops: the number of the device at place @n from 0, in the order of their
 * first faults, and its name in @device; 0 after the last one.
 */
__u64 dma_count_at(const struct dma_count *count, size_t n,
		   char device[DMA_COUNT_NAME]);

/* How often messages were overwritten before they were read. */
__u64 dma_count_lost(const struct dma_count *count);

#endif
