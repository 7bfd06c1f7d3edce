/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of a kernel that map memory for devices, and which one serves a tool. */
#ifndef __LIB_SOURCE_H
#define __LIB_SOURCE_H

#include <linux/types.h>
#include <stdbool.h>

/**
 * enum source_kind - where the tools' numbers come from
 * @SOURCE_OURS: the trace events and iterators of iommufd-bpf
 * @SOURCE_UPSTREAM: the kernel tree's own iommufd: its structures, by their
 *	BTF, and system calls
 * @SOURCE_TYPE1: the containers of VFIO type1, in the same way
 */
enum source_kind {
	SOURCE_OURS,
	SOURCE_UPSTREAM,
	SOURCE_TYPE1,
};

/* One word: ours, upstream or type1. */
const char *source_name(enum source_kind kind);

/*
 * The device number of a misc device such as iommu or vfio, as the kernel
 * stores it; 0 without such a device.
 */
__u32 source_device(const char *name);

/* The source of a kernel without events of iommufd. */
enum source_kind source_stock(void);

/* Whether the kernel has VFIO type1, loaded. @root is "" except in tests. */
bool source_has_type1(const char *root);

#endif
