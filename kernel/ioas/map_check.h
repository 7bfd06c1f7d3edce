/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_MAP_CHECK_H
#define __IOMMUFD_IOAS_MAP_CHECK_H

#include <linux/overflow.h>
#include <uapi/linux/iommufd.h>

#include "core/range.h"
#include "trace/fail.h"

/*
 * Checks of the parameters of map requests, shared by all of their sources.
 */
#define IOMMUFD_MAP_PROTS \
	(IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

/**
 * iommufd_map_check - check the parameters that all map requests have
 * @flags: enum iommufd_ioas_map_flags
 * @iova: the address, if it is fixed
 * @length: bytes
 *
 * Return: 0, -EOPNOTSUPP for unknown flags, -EOVERFLOW if the last address
 * overflows, or -EINVAL if neither reading nor writing is requested or the
 * length is zero.
 */
static inline int iommufd_map_check(u32 flags, u64 iova, u64 length)
{
	const u32 known = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMUFD_MAP_PROTS;
	bool fixed = flags & IOMMU_IOAS_MAP_FIXED_IOVA;
	unsigned long last;

	if (flags & ~known)
		return iommufd_fail_flags(flags, known);
	if (length >= ULONG_MAX)
		return iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW,
				    fixed ? iova : 0, length);
	if (!(flags & IOMMUFD_MAP_PROTS))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_NO_RIGHTS_ASKED,
				    flags, 0);
	if (fixed && iova >= ULONG_MAX && length)
		return iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW, iova,
				    length);
	return iommufd_range_last(fixed ? iova : 0, length, &last);
}

/**
 * iommufd_map_check_source - check the range of memory to map
 * @start: its first address or its offset
 * @length: bytes
 *
 * Return: 0, or -EOVERFLOW if the end of the range overflows.
 */
static inline int iommufd_map_check_source(u64 start, u64 length)
{
	unsigned long end;

	if (start > ULONG_MAX ||
	    check_add_overflow((unsigned long)start, (unsigned long)length,
			       &end))
		return iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW, start,
				    length);
	return 0;
}

#endif
