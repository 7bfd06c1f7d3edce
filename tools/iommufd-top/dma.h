/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DMA of the devices that the IOMMU refused, from the kernel's log. */
#ifndef __DMA_H
#define __DMA_H

#include "model.h"

/* Starts to count, if the log can be read. */
void dma_open(void);
void dma_close(void);

/* Adds the numbers of the interval to the rows of devices. */
void dma_take(struct model *model);

#endif
