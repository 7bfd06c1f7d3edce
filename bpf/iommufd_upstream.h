/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Data of iommufd_upstream.bpf.c, for tools/lib/source_upstream.c. It sends the
 * records of iommufd_list.h, and those below.
 */
#ifndef __IOMMUFD_UPSTREAM_H
#define __IOMMUFD_UPSTREAM_H

#include <linux/types.h>

/* The facts that depend on one or more members of the kernel's structures. */
enum upstream_fact {
	UPSTREAM_CONTEXTS,
	UPSTREAM_OBJECTS,
	UPSTREAM_MODE,
	UPSTREAM_AREAS,
	UPSTREAM_PINS,
	UPSTREAM_SHARES,
	UPSTREAM_TABLES,
	UPSTREAM_TABLE_FLAGS,
	UPSTREAM_TABLE_PAGES,
	UPSTREAM_DEVICES,
	UPSTREAM_GROUPS,
	UPSTREAM_ATTACHED,
	UPSTREAM_FACTS,
};

/* Kinds of records, after those of enum list_kind. */
enum upstream_kind {
	UPSTREAM_SHARE = 100,
};

/**
 * struct upstream_share - pages that several mappings share
 * @ctx: number of the context
 * @ioas: the IOAS of this mapping
 * @pages: tells shared pages apart
 * @pinned: how many of them are pinned, for any mapping
 * @here: how many of them this mapping can have pinned
 */
struct upstream_share {
	__u32 kind; /* UPSTREAM_SHARE */
	__u32 ctx;
	__u32 ioas;
	__u32 unused;
	__u64 pages;
	__u64 pinned;
	__u64 here;
};

#endif
