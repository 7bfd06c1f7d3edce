/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_MAP_CHECK_H
#define __IOMMUFD_IOAS_MAP_CHECK_H

#include <linux/overflow.h>
#include <uapi/linux/iommufd.h>

#include "trace/fail.h"

/*
 * What requests to map ask for is checked here, wherever they come from.
 */
#define IOMMUFD_MAP_PROTS \
	(IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

/**
 * iommufd_map_check - check what all map requests have in common
 * @flags: enum iommufd_ioas_map_flags
 * @iova: the address, if it is fixed
 * @length: bytes
 *
 * Returns 0, -EOPNOTSUPP for flags that are not known, -EOVERFLOW if the last
 * address is not one, or -EINVAL if nothing would be mapped.
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
	if (!length)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_ZERO_LENGTH, 0, 0);
	if (fixed &&
	    (iova >= ULONG_MAX ||
	     check_add_overflow((unsigned long)iova, (unsigned long)length - 1,
				&last)))
		return iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW, iova,
				    length);
	return 0;
}

/**
 * iommufd_map_check_source - check what is to be mapped
 * @start: its first address or its offset
 * @length: bytes
 *
 * Returns 0, or -EOVERFLOW if what is behind its end is none.
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
