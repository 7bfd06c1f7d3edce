// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins the pages of a source and packs them into blocks.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "mock/mock.h"
#include "pages/pages.h"
#include "trace/fail.h"

/* Enough for small requests without an allocation. */
#define SMALL_BATCH	16
#define BATCH		(PAGE_SIZE / sizeof(void *))

/* Tests make batches small to reach their borders. */
static unsigned long batch_capacity(void)
{
	return max(iommufd_mock_limit_memory(PAGE_SIZE) / sizeof(void *), 1);
}

/**
 * struct pinning - pages on their way into the store
 * @pages: the pages
 * @builder: the block that they go to
 * @index: the next index
 * @last: the last index
 * @batch: room for what is pinned at a time
 * @capacity: entries of @batch
 */
struct pinning {
	struct iommufd_pages *pages;
	struct iommufd_block_builder builder;
	unsigned long index;
	unsigned long last;
	union {
		struct page **pages;
		struct folio **folios;
	} batch;
	unsigned long capacity;
};

/* Put the block that is being built into the store. */
static void finish_block(struct pinning *pinning)
{
	iommufd_builder_finish(&pinning->builder, &pinning->pages->blocks);
}

static int next_block(struct pinning *pinning)
{
	finish_block(pinning);
	return iommufd_builder_start(&pinning->builder, pinning->index,
				     pinning->last - pinning->index + 1);
}

/* Add pinned pages of consecutive PFNs; on failure they are still the caller's. */
static __always_inline int add_run(struct pinning *pinning, unsigned long pfn,
				   unsigned long npages)
{
	int ret;

	while (!iommufd_builder_add(&pinning->builder, pfn, npages)) {
		ret = next_block(pinning);
		if (ret)
			return ret;
	}
	pinning->index += npages;
	return 0;
}

static long pin_remote(const struct iommufd_owner *owner, unsigned long start,
		       unsigned long npages, unsigned int flags,
		       struct page **batch)
{
	struct mm_struct *mm = owner->mm;
	int locked = 1;
	long ret;

	/* The process may have exited and left its file to another. */
	if (!mmget_not_zero(mm))
		return iommufd_fail(-EFAULT, IOMMUFD_REASON_PROCESS_GONE,
				    owner->task->tgid, 0);
	mmap_read_lock(mm);
	ret = pin_user_pages_remote(mm, start, npages, flags, batch, &locked);
	if (locked)
		mmap_read_unlock(mm);
	/* The last reference must not tear the mm down under our lock. */
	mmput_async(mm);
	return ret;
}

/*
 * Whether two pages can be of one run: unpin_user_page_range_dirty_lock() walks
 * the run by struct page, the IOMMU by PFN.
 */
static bool consecutive(struct page *page, struct page *next)
{
	if (next != page + 1)
		return false;
	return IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP) ||
	       page_to_pfn(next) == page_to_pfn(page) + 1;
}

/* Whether eight pages go on from one that would be the one before them. */
static __always_inline bool eight_consecutive(struct page *page,
					      struct page **next)
{
	return next[0] == page + 1 && next[1] == page + 2 &&
	       next[2] == page + 3 && next[3] == page + 4 &&
	       next[4] == page + 5 && next[5] == page + 6 &&
	       next[6] == page + 7 && next[7] == page + 8;
}

/* A page costs three instructions where its neighbours are looked at with it. */
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

/* Scattered memory is told by its first two pages. */
static __always_inline unsigned long run_length(struct page **batch,
						unsigned long npages)
{
	if (npages == 1 || !consecutive(batch[0], batch[1]))
		return 1;
	return long_run(batch, npages);
}

/*
 * Add what the block has room for of a batch; returns how many pages that are.
 * Scattered memory has a run for each page: what is needed for each stays in
 * registers.
 */
static noinline unsigned long
add_batch(struct pinning *pinning, struct page **batch, unsigned long npages)
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

/* Who listens learns what is at the address that can't be pinned. */
static void explain_va(const struct iommufd_pages *pages, unsigned long address,
		       int error)
{
	struct mm_struct *mm = pages->owner.mm;
	enum iommufd_reason reason;
	struct vm_area_struct *vma;
	u64 second = -error;

	if (!trace_iommufd_fail_enabled() || error == -EINTR ||
	    !mmget_not_zero(mm))
		return;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, address);
	reason = vma_reason(vma, pages->writable);
	if (reason == IOMMUFD_REASON_NO_VMA)
		second = task_tgid_nr(pages->owner.task);
	else if (reason == IOMMUFD_REASON_VMA_PFNMAP)
		second = address - vma->vm_start;
	mmap_read_unlock(mm);
	mmput_async(mm);
	iommufd_fail(error, reason, address, second);
}

/* Pin a batch of user memory. */
static int pin_va(struct pinning *pinning)
{
	struct iommufd_pages *pages = pinning->pages;
	unsigned long start = pages->start + pinning->index * PAGE_SIZE;
	unsigned long npages = min(pinning->capacity,
				   pinning->last - pinning->index + 1);
	unsigned int flags = FOLL_LONGTERM;
	struct page **batch = pinning->batch.pages;
	long done, pinned;
	int ret;

	if (pages->writable)
		flags |= FOLL_WRITE;
	if (pages->owner.mm == current->mm)
		pinned = pin_user_pages_fast(start, npages, flags, batch);
	else
		pinned = pin_remote(&pages->owner, start, npages, flags, batch);
	if (pinned <= 0) {
		ret = pinned ?: -EFAULT;
		explain_va(pages, start, ret);
		return ret;
	}

	for (done = 0;;) {
		done += add_batch(pinning, batch + done, pinned - done);
		if (done == pinned)
			return 0;
		ret = next_block(pinning);
		if (ret) {
			unpin_user_pages(batch + done, pinned - done);
			return ret;
		}
	}
}

/*
 * Add pages of a folio that has one pin. Others may give them back one by one:
 * each page gets a pin of its own.
 */
static int add_folio(struct pinning *pinning, struct folio *folio,
		     unsigned long skip)
{
	unsigned long npages = min(folio_nr_pages(folio) - skip,
				   pinning->last - pinning->index + 1);
	int ret;

	ret = npages > 1 ? folio_add_pins(folio, npages - 1) : 0;
	if (ret)
		return ret;
	ret = add_run(pinning, folio_pfn(folio) + skip, npages);
	/* The caller takes back the one pin that he brought. */
	if (ret && npages > 1)
		unpin_user_page_range_dirty_lock(folio_page(folio, skip),
						 npages - 1, false);
	return ret;
}

static int explain_file(const struct iommufd_pages *pages, loff_t start,
			loff_t end, int error)
{
	loff_t size = i_size_read(file_inode(pages->file));

	if (error == -EINTR || error == -ENOMEM)
		return error;
	if (end >= size)
		return iommufd_fail(error, IOMMUFD_REASON_FILE_END, end, size);
	return iommufd_fail(error, IOMMUFD_REASON_NOT_PINNABLE, start, -error);
}

/* Pin a batch of folios of a file, straight from its page cache. */
static int pin_memfd(struct pinning *pinning)
{
	struct iommufd_pages *pages = pinning->pages;
	loff_t start = pages->start + pinning->index * PAGE_SIZE;
	loff_t end = pages->start + pinning->last * PAGE_SIZE + PAGE_SIZE - 1;
	struct folio **folios = pinning->batch.folios;
	long i, nr_folios;
	pgoff_t skip;
	int ret;

	nr_folios = memfd_pin_folios(pages->file, start, end, folios,
				     pinning->capacity, &skip);
	if (nr_folios <= 0) {
		ret = nr_folios ?: -EFAULT;
		return explain_file(pages, start, end, ret);
	}

	skip >>= PAGE_SHIFT;
	for (i = 0; i < nr_folios; i++) {
		ret = add_folio(pinning, folios[i], skip);
		if (ret) {
			unpin_folios(folios + i, nr_folios - i);
			return ret;
		}
		skip = 0;
	}
	return 0;
}

static int pin_batch(struct pinning *pinning)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	if (iommufd_mock_should_fail())
		return -ENOMEM;
	switch (pinning->pages->source) {
	case IOMMUFD_SOURCE_VA:
		return pin_va(pinning);
	case IOMMUFD_SOURCE_MEMFD:
		return pin_memfd(pinning);
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * iommufd_pin_blocks - pin pages that are not present and make them so
 * @pages: the pages; its lock is held
 * @index: first index to pin; set to the first that was not pinned
 * @last: last index to pin
 *
 * The new blocks have one user. On failure those up to @index stay for the
 * caller to give back.
 *
 * Returns 0, -ENOMEM, -EINTR if the caller was killed, or what pinning returns:
 * -EFAULT where nothing is mapped, not with the right to write, or no memory
 * that DMA could use; -EINVAL beyond the end of a file.
 */
int iommufd_pin_blocks(struct iommufd_pages *pages, unsigned long *index,
		       unsigned long last)
{
	struct page *small[SMALL_BATCH];
	struct pinning pinning = {
		.pages = pages,
		.index = *index,
		.last = last,
		.batch.pages = small,
		.capacity = min(batch_capacity(), SMALL_BATCH),
	};
	int ret;

	lockdep_assert_held(&pages->lock);

	if (last - *index >= SMALL_BATCH) {
		pinning.capacity = batch_capacity();
		pinning.batch.pages = kmalloc_array(BATCH, sizeof(void *),
						    GFP_KERNEL);
		if (!pinning.batch.pages)
			return -ENOMEM;
	}
	ret = iommufd_builder_start(&pinning.builder, *index,
				    last - *index + 1);
	while (!ret && pinning.index <= last) {
		ret = pin_batch(&pinning);
		cond_resched();
	}
	finish_block(&pinning);
	*index = pinning.index;
	if (pinning.batch.pages != small)
		kfree(pinning.batch.pages);
	return ret;
}

/**
 * iommufd_unpin_block - unpin the pages of a block and free it
 * @pages: the pages; its lock is held
 * @block: a block without users. No page table maps it and the IOTLBs that may
 *	have cached it have been flushed
 *
 * Returns the number of pages that it had.
 */
unsigned long iommufd_unpin_block(struct iommufd_pages *pages,
				  struct iommufd_block *block)
{
	unsigned long npages = block->node.last - block->node.start + 1;
	unsigned int i;

	interval_tree_remove(&block->node, &pages->blocks);
	for (i = 0; i < block->nr_runs; i++) {
		struct iommufd_run run = iommufd_block_run(block, i);

		unpin_user_page_range_dirty_lock(pfn_to_page(run.pfn),
						 run.npages, pages->writable);
	}
	kfree(block);
	cond_resched();
	return npages;
}
