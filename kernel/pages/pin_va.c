// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins user memory by its address.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "pages/pin.h"
#include "trace/fail.h"

static long pin_remote(const struct iommufd_owner *owner, unsigned long start,
		       unsigned long npages, unsigned int flags,
		       struct page **batch)
{
	struct mm_struct *mm = owner->process->mm;
	int locked = 1;
	long ret;

	/* The process may have exited while another one uses its context. */
	if (!mmget_not_zero(mm))
		return iommufd_fail(-EFAULT, IOMMUFD_REASON_PROCESS_GONE,
				    owner->process->task->tgid, 0);
	ret = mmap_read_lock_killable(mm);
	if (ret)
		goto put;
	ret = pin_user_pages_remote(mm, start, npages, flags, batch, &locked);
	if (locked)
		mmap_read_unlock(mm);
put:
	/* The last reference must not tear down the mm under pin_lock. */
	mmput_async(mm);
	return ret;
}

/*
 * Whether two pages can be in one run. unpin_user_page_range_dirty_lock() walks
 * a run by struct page, the IOMMU by PFN, so both must be consecutive.
 */
static bool consecutive(struct page *page, struct page *next)
{
	if (next != page + 1)
		return false;
	return IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP) ||
	       page_to_pfn(next) == page_to_pfn(page) + 1;
}

/* Whether eight pages follow @page consecutively. */
static __always_inline bool eight_consecutive(struct page *page,
					      struct page **next)
{
	return next[0] == page + 1 && next[1] == page + 2 &&
	       next[2] == page + 3 && next[3] == page + 4 &&
	       next[4] == page + 5 && next[5] == page + 6 &&
	       next[6] == page + 7 && next[7] == page + 8;
}

/* Compares eight pages at a time, which takes three instructions per page. */
static noinline unsigned long long_run(struct page **batch,
				       unsigned long npages)
{
	unsigned long n = 1;

	if (IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP))
		while (n + 8 <= npages &&
		       eight_consecutive(batch[n - 1], batch + n))
			n += 8;
	while (n < npages && consecutive(batch[n - 1], batch[n]))
		n++;
	return n;
}

/* Two pages are enough to recognise scattered memory: check them inline. */
static __always_inline unsigned long run_length(struct page **batch,
						unsigned long npages)
{
	if (npages == 1 || !consecutive(batch[0], batch[1]))
		return 1;
	return long_run(batch, npages);
}

/*
 * Add the pages of a batch until the block is full. Returns the number of pages
 * added. Scattered memory has one run per page, so the values needed for each
 * run are kept in registers.
 */
static noinline unsigned long add_batch(struct iommufd_pinning *pinning,
					struct page **batch,
					unsigned long npages)
{
	struct iommufd_block_builder builder = pinning->builder;
	unsigned long done, n;

	for (done = 0; done < npages; done += n) {
		n = run_length(batch + done, npages - done);
		if (!iommufd_builder_add(&builder, page_to_pfn(batch[done]), n))
			break;
	}
	pinning->builder = builder;
	pinning->index += done;
	return done;
}

static enum iommufd_reason vma_reason(const struct vm_area_struct *vma,
				      bool writable)
{
	if (!vma)
		return IOMMUFD_REASON_NO_VMA;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return IOMMUFD_REASON_VMA_PFNMAP;
	if (writable && !(vma->vm_flags & VM_WRITE))
		return IOMMUFD_REASON_VMA_NOT_WRITABLE;
	if (!(vma->vm_flags & VM_READ))
		return IOMMUFD_REASON_VMA_NOT_READABLE;
	return IOMMUFD_REASON_NOT_PINNABLE;
}

/* While the tracepoint is enabled, report why an address can't be pinned. */
static void explain_va(const struct iommufd_pages *pages, unsigned long address,
		       int error)
{
	struct mm_struct *mm = pages->owner.process->mm;
	enum iommufd_reason reason;
	struct vm_area_struct *vma;
	u64 second = -error;

	if (!trace_iommufd_fail_enabled() || error == -EINTR ||
	    !mmget_not_zero(mm))
		return;
	if (mmap_read_lock_killable(mm))
		goto put;
	vma = vma_lookup(mm, address);
	reason = vma_reason(vma, pages->writable);
	if (reason == IOMMUFD_REASON_NO_VMA)
		second = task_tgid_nr(pages->owner.process->task);
	else if (reason == IOMMUFD_REASON_VMA_PFNMAP)
		second = address - vma->vm_start;
	mmap_read_unlock(mm);
	iommufd_fail(error, reason, address, second);
put:
	mmput_async(mm);
}

/**
 * iommufd_pin_va - pin a batch of user memory
 * @pinning: the pinning
 *
 * Return: 0, -ENOMEM, -EINTR if the caller was killed, or -EFAULT if nothing is
 * mapped at an address, if it is not writable, or if it is not memory that can
 * be used for DMA.
 */
int iommufd_pin_va(struct iommufd_pinning *pinning)
{
	struct iommufd_pages *pages = pinning->pages;
	unsigned long start = pages->start + pinning->index * PAGE_SIZE;
	unsigned long npages =
		min(pinning->capacity, pinning->last - pinning->index + 1);
	unsigned int flags = FOLL_LONGTERM;
	struct page **batch = pinning->batch.pages;
	bool own = pages->owner.process->mm == current->mm;
	long done, pinned;
	int ret;

	if (pages->writable)
		flags |= FOLL_WRITE;
	if (pinning->hugetlb) {
		ret = iommufd_pin_hugetlb(pinning, flags);
		if (ret)
			return min(ret, 0);
	}
	if (own)
		pinned = pin_user_pages_fast(start, npages, flags, batch);
	else
		pinned = pin_remote(&pages->owner, start, npages, flags, batch);
	if (pinned <= 0) {
		ret = pinned ?: -EFAULT;
		explain_va(pages, start, ret);
		return ret;
	}

	if (own && pinned <= pinning->last - pinning->index)
		pinning->hugetlb =
			folio_test_hugetlb(page_folio(batch[pinned - 1]));
	for (done = 0;;) {
		done += add_batch(pinning, batch + done, pinned - done);
		if (done == pinned)
			return 0;
		ret = iommufd_pinning_next_block(pinning);
		if (ret) {
			unpin_user_pages(batch + done, pinned - done);
			return ret;
		}
	}
}
