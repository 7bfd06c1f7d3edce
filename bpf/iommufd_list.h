/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of iommufd_list.bpf.c. The members have the same meaning as those of
 * the kernel's structures, see iommufd_iter.h.
 */
#ifndef __IOMMUFD_LIST_H
#define __IOMMUFD_LIST_H

#include <linux/types.h>

enum list_kind {
	LIST_CTX = 1,
	LIST_OBJECT = 2,
	LIST_NEAR = 3,
};

/* Numbers that a source does not have. */
#define LIST_UNKNOWN   (~0ULL)
#define LIST_NOT_KNOWN (~0U)

#define LIST_NAME_LEN 32

/* Types of objects, enum iommufd_object_type, see docs/tracepoints.md. */
enum list_type {
	LIST_TYPE_DEVICE = 1,
	LIST_TYPE_HWPT_PAGING = 2,
	LIST_TYPE_HWPT_NESTED = 3,
	LIST_TYPE_IOAS = 4,
	LIST_TYPE_FAULT = 6,
	LIST_TYPE_VIOMMU = 7,
};

/* Flags of a page table, IOMMUFD_INFO_* of kernel/bpf/iommufd_bpf.h. */
enum list_flag {
	LIST_FLAG_AUTOMATIC = 1,
	LIST_FLAG_NEST_PARENT = 2,
	LIST_FLAG_COHERENT = 4,
	LIST_FLAG_FAULTS = 8,
};

/* Of accounting, as in enum iommufd_accounting. */
#define LIST_ACCOUNT_MM 1

struct list_ctx {
	__u32 kind; /* LIST_CTX */
	__u32 ctx;
	__u32 tgid;
	__u32 uid;
	__u32 accounting;
	__u32 source; /* enum source_kind of tools/lib/source.h */
	__u64 pinned;
	char comm[16];
};

struct list_object {
	__u32 kind; /* LIST_OBJECT */
	__u32 ctx;
	__u32 id;
	__u32 type;
	__u32 users;
	__u32 parent;
	__u32 flags;
	__u32 unused;
	__u64 seq;
	__u64 mapped;
	__u64 areas;
	__u64 pinned;
	__u64 maps;
	__u64 unmaps;
	__u64 invalidations;
	__u64 faults;
	/* Of a device: */
	__u32 hwpt; /* its page table, 0 for none */
	__u32 group;
	/* Of the mappings of VFIO type1: how many more there may be. */
	__u64 room;
	/* Of a page table, or of VFIO type1's all: how many pages it takes. */
	__u64 table_pages;
	char name[LIST_NAME_LEN];
};

/* Flags of a mapping, IOMMUFD_AREA_* of kernel/bpf/iommufd_bpf.h. */
enum list_area_flag {
	LIST_AREA_READ = 1,
	LIST_AREA_WRITE = 2,
	LIST_AREA_REVOKED = 4,
	LIST_AREA_IN_MAP = 8,
	LIST_AREA_IN_UNMAP = 16,
};

/* Where the pages of a mapping come from, enum iommufd_source. */
enum list_area_source {
	LIST_AREA_VA = 0,
	LIST_AREA_MEMFD = 1,
	LIST_AREA_DMABUF = 2,
};

/**
 * struct list_area - a mapping
 * @length: bytes; 0 if no mapping was found
 * @addr: user address, offset in the file, or physical address of its first
 *	byte; LIST_UNKNOWN if the source does not have it
 * @source: enum list_area_source, or LIST_NOT_KNOWN
 * @flags: enum list_area_flag, or LIST_NOT_KNOWN
 */
struct list_area {
	__u64 iova;
	__u64 length;
	__u64 addr;
	__u32 source;
	__u32 flags;
};

/**
 * struct list_near - the mappings of an IOAS at and next to an address
 * @at: contains the address
 * @below: the nearest one below; not filled in if there is @at
 * @above: the nearest one above
 */
struct list_near {
	__u32 kind; /* LIST_NEAR */
	__u32 ctx;
	__u32 ioas;
	__u32 unused;
	struct list_area at;
	struct list_area below;
	struct list_area above;
};

/* list_near() returns this if this iommufd has no iterator for mappings. */
#define LIST_NO_AREAS 1

/**
 * struct list_near_args - the argument of list_near()
 * @iova: the address
 */
struct list_near_args {
	__u64 iova;
};

#endif
