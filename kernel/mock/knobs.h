/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_KNOBS_H
#define __IOMMUFD_MOCK_KNOBS_H

#include <linux/atomic.h>
#include <linux/types.h>

/**
 * struct mock_hold - a point in the driver where a test can block requests
 * @on: requests wait here
 * @held: number of requests that wait
 */
struct mock_hold {
	bool on;
	atomic_t held;
};

/**
 * struct mock_knobs - settings that tests change temporarily, see mock/knobs.c
 * @not_coherent: DMA of the devices bypasses the CPU caches
 * @must_enforce: the IOMMU can enforce cache coherency, but its page tables
 *	can't
 * @can_enforce: both the IOMMU and its page tables can enforce cache coherency
 * @own_domains: new devices have a domain attached, as if by a kernel driver
 *	that does not own their group
 * @large_pages: new page tables support only pages larger than PAGE_SIZE
 * @vdevices: holds requests that create a vDEVICE
 * @pins: holds pin requests of an access after the pages are pinned and before
 *	the driver records that
 * @revokes: holds exporters that revoke a dma-buf while they hold its lock, as
 *	if they waited for fences
 */
struct mock_knobs {
	bool not_coherent;
	bool must_enforce;
	bool can_enforce;
	bool own_domains;
	bool large_pages;
	struct mock_hold vdevices;
	struct mock_hold pins;
	struct mock_hold revokes;
};

extern struct mock_knobs mock_knobs;
void mock_knobs_init(void);
void mock_knobs_exit(void);
int mock_hold(struct mock_hold *hold);

#endif
