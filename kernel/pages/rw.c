// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies between kernel memory and pages, for drivers that do DMA in software.
 */
#include <linux/highmem.h>
#include <linux/iommufd.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "pages/pages.h"
#include "trace/fail.h"

/* Copy with pages that are present. */
static void copy_present(struct iommufd_pages *pages, unsigned long offset,
			 void *data, size_t length, bool write)
{
	unsigned long first = offset >> PAGE_SHIFT;
	unsigned long last = (offset + length - 1) >> PAGE_SHIFT;
	size_t skip = offset_in_page(offset), n;
	struct iommufd_run_iter iter;
	unsigned long i;

	lockdep_assert_held(&pages->lock);

	iommufd_for_each_run(&iter, &pages->blocks, first, last) {
		for (i = 0; i < iter.run.npages; i++) {
			struct page *page = pfn_to_page(iter.run.pfn + i);

			n = min(PAGE_SIZE - skip, length);
			/* Dirty they become when they are unpinned. */
			if (write)
				memcpy_to_page(page, skip, data, n);
			else
				memcpy_from_page(data, page, skip, n);
			data += n;
			length -= n;
			skip = 0;
		}
	}
}

static int copy_pinned(struct iommufd_pages *pages, unsigned long offset,
		       void *data, size_t length, bool write,
		       const struct iommufd_requester *requester)
{
	unsigned long first = offset >> PAGE_SHIFT;
	unsigned long last = (offset + length - 1) >> PAGE_SHIFT;
	unsigned long pinned = 0;
	int ret;

	ret = mutex_lock_killable(&pages->pin_lock);
	if (ret)
		return ret;
	ret = iommufd_pages_use(pages, first, last, requester, &pinned);
	mutex_unlock(&pages->pin_lock);
	if (ret)
		return ret;
	mutex_lock(&pages->lock);
	copy_present(pages, offset, data, length, write);
	mutex_unlock(&pages->lock);
	iommufd_pages_unuse(pages, first, last, requester);
	return 0;
}

static int copy_user(struct iommufd_pages *pages, unsigned long offset,
		     void *data, size_t length, bool write)
{
	void __user *uptr = (void __user *)(pages->start + offset);
	unsigned long left;

	left = write ? copy_to_user(uptr, data, length) :
		       copy_from_user(data, uptr, length);
	return left ? -EFAULT : 0;
}

static int copy_user_kthread(struct iommufd_pages *pages, unsigned long offset,
			     void *data, size_t length, bool write)
{
	int ret;

	if (!mmget_not_zero(pages->owner.mm))
		return -EFAULT;
	kthread_use_mm(pages->owner.mm);
	ret = copy_user(pages, offset, data, length, write);
	kthread_unuse_mm(pages->owner.mm);
	mmput_async(pages->owner.mm);
	return ret;
}

static bool is_bare_kthread(unsigned int flags)
{
	return (flags & IOMMUFD_ACCESS_RW_KTHREAD) && !current->mm &&
	       current->flags & PF_KTHREAD;
}

/**
 * iommufd_pages_rw - copy to or from a part of the pages
 * @pages: the pages
 * @offset: byte to start at
 * @data: kernel memory
 * @length: bytes
 * @flags: IOMMUFD_ACCESS_RW_*
 * @requester: for the tracepoint
 *
 * What is pinned is taken from there: it is what devices see, whatever the
 * process has mapped there since. The rest is copied through the address space
 * of the process if that can be had, which is cheaper than to pin it.
 *
 * Context: may fault on user memory.
 *
 * Returns 0, -EINVAL if they are no memory, -EFAULT, or see
 * iommufd_pages_use().
 */
int iommufd_pages_rw(struct iommufd_pages *pages, unsigned long offset,
		     void *data, size_t length, unsigned int flags,
		     const struct iommufd_requester *requester)
{
	bool write = flags & IOMMUFD_ACCESS_RW_WRITE;
	bool own = current->mm == pages->owner.mm;
	bool pin = pages->source != IOMMUFD_SOURCE_VA ||
		   (flags & __IOMMUFD_ACCESS_RW_SLOW_PATH) ||
		   !(own || is_bare_kthread(flags));
	bool present;

	if (!iommufd_pages_are_memory(pages))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_NOT_MEMORY, offset,
				    0);

	mutex_lock(&pages->lock);
	present = iommufd_pages_present(pages, offset >> PAGE_SHIFT,
					(offset + length - 1) >> PAGE_SHIFT);
	if (present)
		copy_present(pages, offset, data, length, write);
	mutex_unlock(&pages->lock);
	if (present)
		return 0;
	if (pin)
		return copy_pinned(pages, offset, data, length, write,
				   requester);
	return own ? copy_user(pages, offset, data, length, write) :
		     copy_user_kthread(pages, offset, data, length, write);
}
