/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_VMSTAT_H
#define __LIB_VMSTAT_H

#include <linux/types.h>

/*
 * Pages that IOMMU drivers have allocated on the whole machine, nearly all of
 * them for page tables; ~0 if the kernel does not count them.
 */
__u64 vmstat_iommu_pages(void);

#endif
