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

/**
 * struct transfer - the rest of a copy
 * @pages: the pages
 * @offset: next byte in @pages
 * @data: next byte in kernel memory
 * @length: bytes left
 * @write: copy to the pages, not from them
 */
struct transfer {
	struct iommufd_pages *pages;
	unsigned long offset;
	void *data;
	size_t length;
	bool write;
};

static void advance(struct transfer *transfer, size_t n)
{
	transfer->offset += n;
	transfer->data += n;
	transfer->length -= n;
}

static unsigned long first_index(const struct transfer *transfer)
{
	return transfer->offset >> PAGE_SHIFT;
}

static unsigned long last_index(const struct transfer *transfer)
{
	return (transfer->offset + transfer->length - 1) >> PAGE_SHIFT;
}

static void copy_one(struct transfer *transfer, struct page *page)
{
	size_t skip = offset_in_page(transfer->offset);
	size_t n = min(PAGE_SIZE - skip, transfer->length);

	/* Unpinning marks the page dirty. */
	if (transfer->write)
		memcpy_to_page(page, skip, transfer->data, n);
	else
		memcpy_from_page(transfer->data, page, skip, n);
	advance(transfer, n);
}

/* Copy up to the first page that is not pinned. */
static void copy_present(struct transfer *transfer)
{
	unsigned long next = first_index(transfer), i;
	struct iommufd_run_iter iter;

	lockdep_assert_held(&transfer->pages->lock);

	iommufd_for_each_run(&iter, &transfer->pages->blocks, next,
			     last_index(transfer)) {
		if (iter.run.index != next)
			break;
		for (i = 0; i < iter.run.npages; i++)
			copy_one(transfer, pfn_to_page(iter.run.pfn + i));
		next += iter.run.npages;
	}
}

/* Bytes up to the next page that is pinned; the caller holds the lock. */
static size_t missing_length(const struct transfer *transfer)
{
	struct iommufd_run_iter iter;

	if (!iommufd_run_first(&iter, &transfer->pages->blocks,
			       first_index(transfer), last_index(transfer)))
		return transfer->length;
	return iter.run.index * PAGE_SIZE - transfer->offset;
}

static int copy_pinned(struct transfer *transfer,
		       const struct iommufd_requester *requester)
{
	unsigned long first = first_index(transfer);
	unsigned long last = last_index(transfer);
	struct iommufd_pages *pages = transfer->pages;
	unsigned long pinned = 0;
	int ret;

	ret = mutex_lock_killable(&pages->pin_lock);
	if (ret)
		return ret;
	ret = iommufd_pages_pin(pages, first, last, requester, &pinned);
	mutex_unlock(&pages->pin_lock);
	if (ret)
		return ret;
	mutex_lock(&pages->lock);
	copy_present(transfer);
	mutex_unlock(&pages->lock);
	iommufd_pages_unpin(pages, first, last, requester);
	return 0;
}

/* Pin the pages that are not pinned yet for the duration of the copy. */
static int rw_pinned(struct transfer *transfer,
		     const struct iommufd_requester *requester)
{
	struct iommufd_pages *pages = transfer->pages;

	mutex_lock(&pages->lock);
	copy_present(transfer);
	mutex_unlock(&pages->lock);
	return transfer->length ? copy_pinned(transfer, requester) : 0;
}

static int copy_user(struct transfer *transfer, size_t n)
{
	void __user *uptr =
		(void __user *)(transfer->pages->start + transfer->offset);
	unsigned long left;

	left = transfer->write ? copy_to_user(uptr, transfer->data, n) :
				 copy_from_user(transfer->data, uptr, n);
	advance(transfer, n);
	return left ? -EFAULT : 0;
}

static int copy_user_kthread(struct transfer *transfer, size_t n)
{
	struct mm_struct *mm = transfer->pages->owner.process->mm;
	int ret;

	if (!mmget_not_zero(mm))
		return -EFAULT;
	kthread_use_mm(mm);
	ret = copy_user(transfer, n);
	kthread_unuse_mm(mm);
	mmput_async(mm);
	return ret;
}

/* Copy pages that are not pinned through the address space of the process. */
static int rw_user(struct transfer *transfer)
{
	struct iommufd_pages *pages = transfer->pages;
	bool own = current->mm == pages->owner.process->mm;
	size_t missing;
	int ret;

	for (;;) {
		mutex_lock(&pages->lock);
		copy_present(transfer);
		missing = transfer->length ? missing_length(transfer) : 0;
		mutex_unlock(&pages->lock);
		if (!missing)
			return 0;
		ret = own ? copy_user(transfer, missing) :
			    copy_user_kthread(transfer, missing);
		if (ret || !transfer->length)
			return ret;
	}
}

static bool is_bare_kthread(unsigned int flags)
{
	return (flags & IOMMUFD_ACCESS_RW_KTHREAD) && !current->mm &&
	       current->flags & PF_KTHREAD;
}

/* Whether the address space of the process can be used. */
static bool user_reachable(const struct iommufd_pages *pages,
			   unsigned int flags)
{
	return pages->source == IOMMUFD_SOURCE_VA &&
	       !(flags & __IOMMUFD_ACCESS_RW_SLOW_PATH) &&
	       (current->mm == pages->owner.process->mm || is_bare_kthread(flags));
}

/**
 * iommufd_pages_rw - copy to or from a range of pages
 * @pages: the pages
 * @offset: offset of the first byte in @pages
 * @data: kernel memory
 * @length: bytes
 * @flags: IOMMUFD_ACCESS_RW_*
 * @requester: for the tracepoint
 *
 * Pages that are pinned are accessed directly: devices see them, even if the
 * process has mapped something else there since. Other pages are copied through
 * the address space of the process if possible, as that is cheaper than pinning
 * them.
 *
 * Context: May fault on user memory.
 * Return: 0, -EINVAL if the pages are not memory, -EFAULT, -EINTR if the caller
 * was killed, or an errno of iommufd_pages_pin(). A part may have been copied
 * on failure.
 */
int iommufd_pages_rw(struct iommufd_pages *pages, unsigned long offset,
		     void *data, size_t length, unsigned int flags,
		     const struct iommufd_requester *requester)
{
	struct transfer transfer = {
		.pages = pages,
		.offset = offset,
		.data = data,
		.length = length,
		.write = flags & IOMMUFD_ACCESS_RW_WRITE,
	};

	if (!iommufd_pages_are_memory(pages))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_NOT_MEMORY, offset,
				    0);
	return user_reachable(pages, flags) ? rw_user(&transfer) :
					      rw_pinned(&transfer, requester);
}
