/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DMA that an IOMMU refused, as its driver reports it in the kernel's log.
 */
#ifndef __LIB_DMA_FAULT_H
#define __LIB_DMA_FAULT_H

#include <linux/types.h>
#include <stdbool.h>

#define DMA_FAULT_NO_PASID (~0U)

/**
 * enum dma_fault_cause - what the IOMMU found
 * @DMA_FAULT_OTHER: none of the following
 * @DMA_FAULT_UNMAPPED: nothing is mapped at the address
 * @DMA_FAULT_RIGHT: what is mapped there may not be read, or not be written
 * @DMA_FAULT_EITHER: one of these two; the IOMMU does not tell them apart
 * @DMA_FAULT_RANGE: the address is beyond those that the page table translates
 * @DMA_FAULT_BLOCKED: the device has no page table
 */
enum dma_fault_cause {
	DMA_FAULT_OTHER,
	DMA_FAULT_UNMAPPED,
	DMA_FAULT_RIGHT,
	DMA_FAULT_EITHER,
	DMA_FAULT_RANGE,
	DMA_FAULT_BLOCKED,
};

enum dma_fault_access {
	DMA_FAULT_UNKNOWN,
	DMA_FAULT_READ,
	DMA_FAULT_WRITE,
};

/**
 * struct dma_fault - one fault
 * @device: PCI address, or another name, of the device
 * @iommu: name of the kind of IOMMU
 * @reason: the words or numbers of the driver
 * @cause: what they mean
 * @access: read or write, DMA_FAULT_UNKNOWN if the driver does not say
 * @pasid: PASID of the access, or DMA_FAULT_NO_PASID
 * @iova: address of the access; if the IOMMU translates twice, and the second
 *	translation failed, the address that the first one gave
 * @is_second: it was the second translation, which is never a guest's
 */
struct dma_fault {
	char device[64];
	const char *iommu;
	char reason[96];
	enum dma_fault_cause cause;
	enum dma_fault_access access;
	__u32 pasid;
	__u64 iova;
	bool is_second;
};

/**
 * struct dma_fault_log - reader of the log
 * @pending: the first half of a report that has two lines
 * @ipa: its address between two translations
 * @is_pending: whether there is one
 */
struct dma_fault_log {
	struct dma_fault pending;
	__u64 ipa;
	bool is_pending;
};

/**
 * dma_fault_read - read a line of the log
 * @log: zeroed before the first line
 * @line: the text, without level and time
 * @fault: filled in if this line completes a report
 *
 * Return: whether it does.
 */
bool dma_fault_read(struct dma_fault_log *log, const char *line,
		    struct dma_fault *fault);

/* The cause in words, as the end of a sentence about the address. */
const char *dma_fault_cause_text(enum dma_fault_cause cause);

#endif
