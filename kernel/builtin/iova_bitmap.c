// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bitmaps in user memory, in which drivers mark the memory that a device has
 * written. A bitmap may have any length, so only a window of it is pinned at a
 * time. A driver may mark more than the window: an IOMMU page may extend beyond
 * the window, and the driver reports a dirty page only once. Bits outside of
 * the window are remembered and set right after the window is closed.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "builtin/iova_bitmap.h"

#define PAGE_BITS	(PAGE_SIZE * BITS_PER_BYTE)
/* The first and the last page may be used partially. */
#define WINDOW_BITS	(32 * PAGE_BITS)
#define WINDOW_PAGES	33

/**
 * struct bit_range - a range of bits
 * @first: first bit
 * @end: bit after the last one; the range is empty if it is not above @first
 */
struct bit_range {
	unsigned long first;
	unsigned long end;
};

/**
 * struct bitmap_window - the part of a bitmap that is pinned
 * @bits: its bits; empty if nothing is pinned
 * @offset: number of bits in the first page before @bits
 * @npages: number of pages
 * @written: a bit was set
 * @pages: the pages
 */
struct bitmap_window {
	struct bit_range bits;
	unsigned int offset;
	unsigned int npages;
	bool written;
	struct page *pages[WINDOW_PAGES];
};

/**
 * struct iova_bitmap - a bitmap in user memory
 * @iova: address that bit 0 represents
 * @last: last address
 * @shift: log2 of the number of bytes that a bit represents
 * @nbits: number of bits
 * @data: user address of the bitmap
 * @window: the part that is pinned
 * @before: bits below the window that remain to be set
 * @after: bits above the window that remain to be set
 * @marked: number of bits that drivers have set, including repetitions
 *
 * The caller must serialize all calls for a bitmap.
 */
struct iova_bitmap {
	unsigned long iova;
	unsigned long last;
	unsigned int shift;
	unsigned long nbits;
	unsigned long data;
	struct bitmap_window window;
	struct bit_range before;
	struct bit_range after;
	u64 marked;
};

/**
 * iova_bitmap_alloc - allocate a bitmap of an IOVA range
 * @iova: first address
 * @length: bytes
 * @page_size: bytes that a bit represents, a power of two
 * @data: the user's bitmap: bit n % 64 of @data[n / 64] represents @page_size
 *	bytes starting at @iova + n * @page_size. On little-endian machines it
 *	may start at any byte
 *
 * Free with iova_bitmap_free().
 *
 * Context: Process context of the user. May sleep.
 *
 * Return: The bitmap or an ERR_PTR: -EINVAL if @length is 0, @page_size is not
 * a power of two or @data is not aligned, -EOVERFLOW if the range wraps,
 * -EFAULT if @data is not a valid user address, -ENOMEM.
 */
struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size,
				      u64 __user *data)
{
	struct iova_bitmap *bitmap;
	unsigned long last, nbits;

	if (!length || !is_power_of_2(page_size))
		return ERR_PTR(-EINVAL);
	/* Bits are set in longs, whose byte order matters here. */
	if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) &&
	    !IS_ALIGNED((unsigned long)data, sizeof(*data)))
		return ERR_PTR(-EINVAL);
	if (check_add_overflow(iova, length - 1, &last))
		return ERR_PTR(-EOVERFLOW);
	nbits = ((last - iova) >> ilog2(page_size)) + 1;
	if (!access_ok(data, BITS_TO_BYTES(nbits)))
		return ERR_PTR(-EFAULT);

	bitmap = kzalloc_obj(*bitmap, GFP_KERNEL_ACCOUNT);
	if (!bitmap)
		return ERR_PTR(-ENOMEM);
	bitmap->iova = iova;
	bitmap->last = last;
	bitmap->shift = ilog2(page_size);
	bitmap->nbits = nbits;
	bitmap->data = (unsigned long)data;
	return bitmap;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_alloc, "IOMMUFD");

/**
 * iova_bitmap_free - free a bitmap of iova_bitmap_alloc()
 * @bitmap: the bitmap
 *
 * Context: Process context.
 */
void iova_bitmap_free(struct iova_bitmap *bitmap)
{
	kfree(bitmap);
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_free, "IOMMUFD");

static void close_window(struct bitmap_window *window)
{
	unpin_user_pages_dirty_lock(window->pages, window->npages,
				    window->written);
	window->bits.end = window->bits.first;
	window->npages = 0;
}

/* Pin a window that starts at @first and ends at @end or before. */
static int open_window(struct iova_bitmap *bitmap, unsigned long first,
		       unsigned long end)
{
	struct bitmap_window *window = &bitmap->window;
	unsigned long start = bitmap->data + first / BITS_PER_BYTE;
	int pinned;

	window->offset = offset_in_page(start) * BITS_PER_BYTE +
			 first % BITS_PER_BYTE;
	window->bits.first = first;
	window->bits.end = first + min(end - first, WINDOW_BITS);
	window->npages = DIV_ROUND_UP(window->offset + window->bits.end - first,
				      PAGE_BITS);
	window->written = false;

	pinned = pin_user_pages_fast(start & PAGE_MASK, window->npages,
				     FOLL_WRITE, window->pages);
	if (pinned == window->npages)
		return 0;
	window->npages = max(pinned, 0);
	close_window(window);
	if (fatal_signal_pending(current))
		return -EINTR;
	return pinned < 0 ? pinned : -EFAULT;
}

/* Set bits that are in the window. */
static void set_bits(struct iova_bitmap *bitmap, unsigned long first,
		     unsigned long end)
{
	struct bitmap_window *window = &bitmap->window;
	unsigned long bit = window->offset + (first - window->bits.first);
	unsigned long nbits = end - first, n;
	unsigned long *map;

	bitmap->marked += nbits;
	for (; nbits; nbits -= n, bit += n) {
		n = min(nbits, PAGE_BITS - bit % PAGE_BITS);
		map = kmap_local_page(window->pages[bit / PAGE_BITS]);
		bitmap_set(map, bit % PAGE_BITS, n);
		kunmap_local(map);
	}
	window->written = true;
}

/*
 * At most one IOMMU page crosses each end of the window, so the range rarely
 * includes bits that were not marked.
 */
static void include(struct bit_range *range, unsigned long first,
		    unsigned long end)
{
	if (range->first >= range->end) {
		range->first = first;
		range->end = end;
	} else {
		range->first = min(range->first, first);
		range->end = max(range->end, end);
	}
}

/**
 * iova_bitmap_set - mark a range as written
 * @bitmap: the bitmap
 * @iova: first address
 * @length: bytes; addresses that are not part of the bitmap are ignored
 *
 * Called by the callback of iova_bitmap_for_each(). A bit is set if any byte
 * that it represents is in the range. The range may exceed the part that the
 * callback was called for: those bits are set after the callback has returned.
 *
 * Context: Any context. Does not sleep.
 */
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova,
		     size_t length)
{
	struct bitmap_window *window = &bitmap->window;
	unsigned long last, first, end;

	if (!length)
		return;
	if (check_add_overflow(iova, length - 1, &last))
		last = ULONG_MAX;
	if (last < bitmap->iova || iova > bitmap->last)
		return;
	first = (max(iova, bitmap->iova) - bitmap->iova) >> bitmap->shift;
	end = ((min(last, bitmap->last) - bitmap->iova) >> bitmap->shift) + 1;

	if (first < window->bits.first) {
		include(&bitmap->before, first, min(end, window->bits.first));
		first = window->bits.first;
	}
	if (end > window->bits.end) {
		include(&bitmap->after, max(first, window->bits.end), end);
		end = window->bits.end;
	}
	if (first < end)
		set_bits(bitmap, first, end);
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_set, "IOMMUFD");

static int set_outside(struct iova_bitmap *bitmap, struct bit_range *range)
{
	unsigned long end;
	int ret;

	for (; range->first < range->end; range->first = end) {
		ret = open_window(bitmap, range->first, range->end);
		if (ret)
			return ret;
		end = bitmap->window.bits.end;
		set_bits(bitmap, range->first, end);
		close_window(&bitmap->window);
	}
	return 0;
}

/*
 * Get the end of a window that starts at a bit. IOMMU pages are aligned to
 * their size. Windows end at aligned addresses, so that no IOMMU page up to the
 * size of a window crosses the end of one.
 */
static unsigned long window_end(struct iova_bitmap *bitmap, unsigned long first)
{
	unsigned long base = bitmap->iova >> bitmap->shift;

	if (bitmap->nbits - first <= WINDOW_BITS)
		return bitmap->nbits;
	return ALIGN_DOWN(base + first + WINDOW_BITS, WINDOW_BITS) - base;
}

static int call_driver(struct iova_bitmap *bitmap, void *opaque,
		       iova_bitmap_fn_t fn)
{
	struct bit_range *bits = &bitmap->window.bits;
	unsigned long iova = bitmap->iova + (bits->first << bitmap->shift);
	unsigned long last = bitmap->last;

	if (bits->end < bitmap->nbits)
		last = bitmap->iova + (bits->end << bitmap->shift) - 1;
	return fn(bitmap, iova, last - iova + 1, opaque);
}

/**
 * iova_bitmap_for_each - call a driver for each part of a bitmap
 * @bitmap: the bitmap
 * @opaque: passed to @fn
 * @fn: marks the memory that was written in the part that it is called for,
 *	with iova_bitmap_set(). If it returns a negative errno, the walk ends
 *
 * Each part of the bitmap is pinned while @fn is called for it. Bits that are
 * already set stay set.
 *
 * Context: Process context of the user. May sleep.
 *
 * Return: 0, the errno of @fn, -EFAULT if the bitmap is not in writable memory,
 * -ENOMEM, or -EINTR if the caller was killed. On failure, all bits that @fn has
 * marked so far are set, unless the bitmap is not accessible.
 */
int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque,
			 iova_bitmap_fn_t fn)
{
	unsigned long first, end;
	int ret, fn_ret;

	for (first = 0; first < bitmap->nbits; first = end) {
		end = window_end(bitmap, first);
		ret = open_window(bitmap, first, end);
		if (ret)
			return ret;
		fn_ret = call_driver(bitmap, opaque, fn);
		close_window(&bitmap->window);

		/* Even if it failed: the driver reports a page only once. */
		ret = set_outside(bitmap, &bitmap->before);
		if (!ret)
			ret = set_outside(bitmap, &bitmap->after);
		if (fn_ret || ret)
			return fn_ret ?: ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_for_each, "IOMMUFD");

/**
 * iova_bitmap_marked - get the number of bits that drivers have marked
 * @bitmap: the bitmap
 *
 * Context: Any context.
 *
 * Return: The number of bits. A bit counts each time it is marked, which is
 * once for each dirty IOMMU page that it represents.
 */
u64 iova_bitmap_marked(const struct iova_bitmap *bitmap)
{
	return bitmap->marked;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_marked, "IOMMUFD");
