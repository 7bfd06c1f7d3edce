/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BUILTIN_IOVA_BITMAP_H
#define __IOMMUFD_BUILTIN_IOVA_BITMAP_H

#include <linux/iova_bitmap.h>

/*
 * builtin/iova_bitmap.c also counts the bits, which is not in
 * include/linux/iova_bitmap.h. Another driver core does not.
 */
#define IOVA_BITMAP_COUNTS \
	(IS_ENABLED(CONFIG_IOMMUFD_DRIVER) && \
	 !IS_ENABLED(CONFIG_IOMMUFD_FOREIGN_BITMAP))

#if IOVA_BITMAP_COUNTS
u64 iova_bitmap_marked(const struct iova_bitmap *bitmap);
#else
static inline u64 iova_bitmap_marked(const struct iova_bitmap *bitmap)
{
	return 0;
}
#endif

#endif
