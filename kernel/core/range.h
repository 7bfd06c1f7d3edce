/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_CORE_RANGE_H
#define __IOMMUFD_CORE_RANGE_H

#include <linux/overflow.h>

#include "trace/fail.h"

/**
 * iommufd_range_last - get the last address of a range of the user
 * @iova: first address
 * @length: bytes
 * @last: set to the last address
 *
 * Return: 0, -EINVAL if @length is 0, or -EOVERFLOW if the range does not end
 * at an address.
 */
static inline int iommufd_range_last(u64 iova, u64 length, unsigned long *last)
{
	if (!length)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_ZERO_LENGTH, 0, 0);
	if (check_add_overflow(iova, length - 1, last))
		return iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW, iova,
				    length);
	return 0;
}

#endif
