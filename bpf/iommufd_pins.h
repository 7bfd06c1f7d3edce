/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Data of iommufd_pins.bpf.c, for iommufd-pins. */
#ifndef __IOMMUFD_PINS_H
#define __IOMMUFD_PINS_H

#include <linux/types.h>

#define PINS_MAX_IOAS 8192

/* Mean length of the contiguous runs that a map request gives the IOMMU. */
enum pins_run {
	PINS_RUN_SMALL,
	PINS_RUN_64K,
	PINS_RUN_2M,
	PINS_RUN_1G,
	PINS_RUNS,
};

struct pins_key {
	__u32 ctx;
	__u32 ioas;
};

/* Mapped bytes, by enum pins_run. */
struct pins_mix {
	__u64 bytes[PINS_RUNS];
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
