/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who bears what a context pins, from bpf/iommufd_pins.bpf.c. */
#ifndef __LIB_OWNER_H
#define __LIB_OWNER_H

#include "../../bpf/iommufd_pins.h"
#include "list.h"

/* What bears pinned pages; the first two as enum iommufd_accounting. */
enum owner_mode {
	OWNER_USER,
	OWNER_MM,
	OWNER_NONE,
};

/**
 * struct owner - who opened a context
 * @now: as it is now
 * @mode: what is charged for what it pins now
 */
struct owner {
	struct pins_owner now;
	enum owner_mode mode;
};

struct iommufd_pins;

/* The programs that can read owners, without their events. NULL with errno set. */
struct iommufd_pins *owner_open(void);

/* @program: the file descriptor of the program read_owner. */
void owner_read(int program, const struct list_ctx *ctx, struct owner *owner);

/* Pages charged to whoever bears what it pins now; 0 if nobody. */
__u64 owner_used(const struct owner *owner);

/* How many there may be; ~0 for any number, or nobody knows. */
__u64 owner_limit(const struct owner *owner);

#endif
