// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins the pages of a source and packs them into blocks.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "pages/pages.h"

/* Enough for small requests without an allocation. */
#define SMALL_BATCH	16
#define BATCH		(PAGE_SIZE / sizeof(struct page *))

static long pin_remote(struct mm_struct *mm, unsigned long start,
		       unsigned long npages, unsigned int flags,
		       struct page **batch)
{
	int locked = 1;
	long ret;

	/* The process may have exited and left its file to another. */
	if (!mmget_not_zero(mm))
		return -EFAULT;
	mmap_read_lock(mm);
	ret = pin_user_pages_remote(mm, start, npages, flags, batch, &locked);
	if (locked)
		mmap_read_unlock(mm);
	/* The last reference must not tear the mm down under our lock. */
	mmput_async(mm);
	return ret;
}

/* Returns how many pages were pinned, at least one, or a negative errno. */
static long pin_batch(struct iommufd_pages *pages, unsigned long index,
		      unsigned long npages, struct page **batch)
{
	unsigned long start = pages->uptr + index * PAGE_SIZE;
	unsigned int flags = FOLL_LONGTERM;
	long ret;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (pages->writable)
		flags |= FOLL_WRITE;
	if (pages->owner.mm == current->mm)
		ret = pin_user_pages_fast(start, npages, flags, batch);
	else
		ret = pin_remote(pages->owner.mm, start, npages, flags, batch);
	return ret ?: -EFAULT;
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

static unsigned long run_length(struct page **batch, unsigned long npages)
{
	unsigned long n = 1;

	while (n < npages && consecutive(batch[n - 1], batch[n]))
		n++;
	return n;
}

/* Block and users for what the builder has collected. */
static void insert_block(struct iommufd_pages *pages,
			 struct iommufd_block_builder *builder)
{
	struct iommufd_block *block = iommufd_builder_finish(builder);

	if (!block)
		return;
	block->users = 1;
	interval_tree_insert(&block->node, &pages->blocks);
}

/* Add pinned pages; *index is that of the first which was not added. */
static int pack_batch(struct iommufd_pages *pages,
		      struct iommufd_block_builder *builder,
		      unsigned long *index, struct page **batch,
		      unsigned long npages)
{
	unsigned long n, done = 0;

	while (done < npages) {
		n = run_length(batch + done, npages - done);
		if (!iommufd_builder_add(builder, page_to_pfn(batch[done]),
					 n)) {
			insert_block(pages, builder);
			if (iommufd_builder_start(builder, *index)) {
				unpin_user_pages(batch + done, npages - done);
				return -ENOMEM;
			}
			continue;
		}
		done += n;
		*index += n;
	}
	return 0;
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
 * that DMA could use.
 */
int iommufd_pin_blocks(struct iommufd_pages *pages, unsigned long *index,
		       unsigned long last)
{
	struct page *small[SMALL_BATCH], **batch = small;
	unsigned long capacity = SMALL_BATCH;
	struct iommufd_block_builder builder;
	long n;
	int ret;

	lockdep_assert_held(&pages->lock);

	if (last - *index >= SMALL_BATCH) {
		capacity = BATCH;
		batch = kmalloc_array(BATCH, sizeof(*batch), GFP_KERNEL);
		if (!batch)
			return -ENOMEM;
	}
	ret = iommufd_builder_start(&builder, *index);
	while (!ret && *index <= last) {
		n = pin_batch(pages, *index, min(capacity, last - *index + 1),
			      batch);
		if (n < 0)
			ret = n;
		else
			ret = pack_batch(pages, &builder, index, batch, n);
		cond_resched();
	}
	insert_block(pages, &builder);
	if (batch != small)
		kfree(batch);
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
