/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Data of iommufd_pins.bpf.c, for iommufd-pins. */
#ifndef __IOMMUFD_PINS_H
#define __IOMMUFD_PINS_H

#include <linux/types.h>

/* Page sizes that the kernel counts: 4096 << 0 to 18. */
#define PINS_ORDERS 19

/* Result of read_sizes() if the kernel can't count them. */
#define PINS_NOT_KNOWN 1

/**
 * struct pins_sizes - pinned pages of an IOAS by page size
 * @ctx: number of the context, set by the caller
 * @ioas: id of the IOAS, set by the caller
 * @pages: entry N is the number of pages that an IOMMU can map with page size N
 */
struct pins_sizes {
	__u32 ctx;
	__u32 ioas;
	__u64 pages[PINS_ORDERS];
};

/**
 * struct pins_owner - what new pins of a process are charged to
 * @tgid: the process, set by the caller
 * @found: the process is alive
 * @uid: its user
 * @unlimited: it may lock without limit, and is not charged (CAP_IPC_LOCK)
 * @user_pages: charged to all processes of the user
 * @mm_pages: charged to the process
 * @limit: its RLIMIT_MEMLOCK in bytes, ~0 for none
 */
struct pins_owner {
	__u32 tgid;
	__u32 found;
	__u32 uid;
	__u32 unlimited;
	__u64 user_pages;
	__u64 mm_pages;
	__u64 limit;
};

#endif
