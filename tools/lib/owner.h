/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The account charged for a context's pages, with bpf/iommufd_pins.bpf.c. */
#ifndef __LIB_OWNER_H
#define __LIB_OWNER_H

#include "../../bpf/iommufd_pins.h"
#include "list.h"

/*
 * The account charged for pinned pages; the first two as in enum
 * iommufd_accounting.
 */
enum owner_mode {
	OWNER_USER,
	OWNER_MM,
	OWNER_NONE,
	OWNER_UNKNOWN, /* the user or the process */
};

/**
 * struct owner - the process that opened a context
 * @now: its current state
 * @mode: what its pinned pages are charged to at present
 */
struct owner {
	struct pins_owner now;
	enum owner_mode mode;
};

struct iommufd_pins;

/*
 * Opens the program that reads owners, without the one for page sizes. Returns
 * NULL with errno set on errors.
 */
struct iommufd_pins *owner_open(void);

/* @program: file descriptor of the program read_owner. */
void owner_read(int program, const struct list_ctx *ctx, struct owner *owner);

/* Pages charged to the one that the context charges; 0 if not charged. */
__u64 owner_used(const struct owner *owner);

/* Limit for that; ~0 if there is no limit or it is not known. */
__u64 owner_limit(const struct owner *owner);

#endif
