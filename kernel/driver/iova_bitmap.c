// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bitmaps in user memory, in which drivers mark what a device has written. They
 * are as long as the user likes, so only a window of a bitmap is pinned at a
 * time. A driver may mark more than the window: its pages need not end where
 * the window does, and once it has said that one is dirty it won't do so again.
 * What is outside is remembered and marked right after the window.
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

#include "driver/iova_bitmap.h"

#define PAGE_BITS	(PAGE_SIZE * BITS_PER_BYTE)
/* The first and the last of the pages may be used in part. */
#define WINDOW_BITS	(32 * PAGE_BITS)
#define WINDOW_PAGES	33

/**
 * struct bit_range - bits of a bitmap
 * @first: first bit
 * @end: bit behind the last one; there are none if it isn't above @first
 */
struct bit_range {
	unsigned long first;
	unsigned long end;
};

/**
 * struct bitmap_window - a part of a bitmap that is pinned
 * @bits: which bits; none if nothing is pinned
 * @offset: bits of the first page that are before them
 * @npages: number of pages
 * @written: a bit has been set
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
 * @iova: address that bit 0 stands for
 * @last: last address
 * @shift: bytes that a bit stands for, as a power of two
 * @nbits: number of bits
 * @data: user address of the bitmap
 * @window: what is pinned of it
 * @before: bits below the window that are still to be set
 * @after: bits above the window that are still to be set
 * @marked: bits that have been set, as often as drivers marked them
 *
 * Its user serialises all that he does with it.
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
 * iova_bitmap_alloc - make a bitmap of an interval
 * @iova: first address
 * @length: bytes
 * @page_size: bytes that a bit stands for, a power of two
 * @data: the user's bitmap: bit n, of the number n / 64, stands for @page_size
 *	bytes from @iova + n * @page_size on. On little-endian machines it can
 *	begin at any byte
 *
 * Ended with iova_bitmap_free().
 *
 * Context: process context of the user, may sleep.
 *
 * Returns the bitmap or an ERR_PTR: -EINVAL if the length is 0, the page size no
 * power of two or @data not aligned, -EOVERFLOW if the interval wraps, -EFAULT if
 * no user memory can be there, -ENOMEM.
 */
struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size,
				      u64 __user *data)
{
	struct iova_bitmap *bitmap;
	unsigned long last, nbits;

	if (!length || !is_power_of_2(page_size))
		return ERR_PTR(-EINVAL);
	/* There a byte has no place of its own in the bitmap. */
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
 * iova_bitmap_free - end what iova_bitmap_alloc() began
 * @bitmap: the bitmap, gone after this
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

/* Pin what a window has room for from @first on, up to @end at the most. */
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

/* There is one driver's page at either side, so this hardly ever adds more. */
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
 * iova_bitmap_set - mark an interval as written
 * @bitmap: the bitmap
 * @iova: first address
 * @length: bytes; what is not of the bitmap is left out
 *
 * Called by the function that is given to iova_bitmap_for_each(). A bit is set
 * if any byte that it stands for is in the interval. What is outside of what
 * that function was called for is set too, a little later.
 *
 * Context: any; doesn't sleep.
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
 * Where a window ends that begins at a bit. Pages of an IOMMU are aligned to
 * their size, and so is the end as far as it can be: then none of them is in two
 * windows.
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
 * iova_bitmap_for_each - call a driver for each part that is in memory
 * @bitmap: the bitmap
 * @opaque: passed to @fn
 * @fn: marks what has been written in the part that it is called for, with
 *	iova_bitmap_set(). A negative errno ends it all
 *
 * Bits that are set already stay so.
 *
 * Context: process context of the user, may sleep.
 *
 * Returns 0, the errno of @fn, -EFAULT if the bitmap is not in memory that can be
 * written, -ENOMEM, or -EINTR if the caller was killed. On failure, all that @fn
 * has marked in other parts is in the bitmap.
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

		/* The driver does not tell twice, whatever it returns. */
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
 * iova_bitmap_marked - how much drivers have marked
 * @bitmap: the bitmap
 *
 * Returns bits; one counts as often as it was marked, which is once for each of
 * the pages of the IOMMU that it stands for.
 */
u64 iova_bitmap_marked(const struct iova_bitmap *bitmap)
{
	return bitmap->marked;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_marked, "IOMMUFD");
