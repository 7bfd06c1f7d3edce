// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bitmaps of user space in which a driver marks what a device has written. The
 * functions are here for drivers to link; none can be made yet.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iova_bitmap.h>

/**
 * iova_bitmap_alloc - make a bitmap of an interval
 * @iova: first address
 * @length: bytes
 * @page_size: bytes that a bit stands for
 * @data: the user's bitmap
 *
 * Returns ERR_PTR(-EOPNOTSUPP): not there yet.
 */
struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size,
				      u64 __user *data)
{
	return ERR_PTR(-EOPNOTSUPP);
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_alloc, "IOMMUFD");

/**
 * iova_bitmap_free - end what iova_bitmap_alloc() began
 * @bitmap: the bitmap
 */
void iova_bitmap_free(struct iova_bitmap *bitmap)
{
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_free, "IOMMUFD");

/**
 * iova_bitmap_for_each - call a driver for each part that is in memory
 * @bitmap: the bitmap
 * @opaque: passed to @fn
 * @fn: the driver's function
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque,
			 iova_bitmap_fn_t fn)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_for_each, "IOMMUFD");

/**
 * iova_bitmap_set - mark an interval as written
 * @bitmap: the bitmap
 * @iova: first address
 * @length: bytes
 *
 * Does nothing: no bitmap can be made yet.
 */
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova,
		     size_t length)
{
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_set, "IOMMUFD");
