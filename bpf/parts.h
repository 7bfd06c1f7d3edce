/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a request's time on kernels without trace events of iommufd: how
 * long it is inside functions that the rest of the kernel exports to iommufd
 * and to VFIO type1. Before including this, a program defines
 *
 *	static struct parts *parts_of_call(void);    of this thread, or NULL
 *
 * Functions call each other: only the outermost one counts. The programs are
 * off by default ("?"), since not every kernel has each of these functions. The
 * first word of their names is the part (see tools/lib/ioctl.c).
 */
#ifndef __IOMMUFD_PARTS_H
#define __IOMMUFD_PARTS_H

#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_ioctl.h"

/**
 * struct parts - the parts of the call that a thread is in
 * @ns: their durations, by enum ioctl_part
 * @since: when the outermost function was entered
 * @depth: of the functions that the thread is in
 * @is_torn: the kernel has skipped a program
 */
struct parts {
	__u64 ns[IOCTL_PARTS];
	__u64 since;
	__u32 depth;
	bool is_torn;
};

static struct parts *parts_of_call(void);

static int part_begins(void)
{
	struct parts *parts = parts_of_call();

	if (parts && !parts->depth++)
		parts->since = bpf_ktime_get_ns();
	return 0;
}

static int part_ends(enum ioctl_part part)
{
	struct parts *parts = parts_of_call();

	if (!parts)
		return 0;
	if (!parts->depth)
		parts->is_torn = true;
	else if (!--parts->depth)
		parts->ns[part] += bpf_ktime_get_ns() - parts->since;
	return 0;
}

#define PART(name, part, function)                       \
	SEC("?fentry/" #function)                        \
	int name##_begins_##function(const void *unused) \
	{                                                \
		return part_begins();                    \
	}                                                \
	SEC("?fexit/" #function)                         \
	int name##_ends_##function(const void *unused)   \
	{                                                \
		return part_ends(part);                  \
	}

PART(pin, IOCTL_PIN, pin_user_pages_fast)
PART(pin, IOCTL_PIN, pin_user_pages_remote)
PART(pin, IOCTL_PIN, pin_user_pages_unlocked)
PART(pin, IOCTL_PIN, memfd_pin_folios)
PART(iommu, IOCTL_IOMMU, iommu_map)
PART(iommu, IOCTL_IOMMU, iommu_unmap)
PART(iommu, IOCTL_IOMMU, iommu_unmap_fast)
PART(unpin, IOCTL_UNPIN, unpin_user_page)
PART(unpin, IOCTL_UNPIN, unpin_user_pages)
PART(unpin, IOCTL_UNPIN, unpin_user_pages_dirty_lock)
PART(unpin, IOCTL_UNPIN, unpin_user_page_range_dirty_lock)
PART(unpin, IOCTL_UNPIN, unpin_folio)
PART(unpin, IOCTL_UNPIN, unpin_folios)

#endif
