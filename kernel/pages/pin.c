// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins the pages of a source and packs them into blocks.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "mock/mock.h"
#include "pages/pin.h"

/* Enough for small requests, so that they need no allocation. */
#define SMALL_BATCH 16
#define BATCH	    (PAGE_SIZE / sizeof(void *))

/*
 * Other threads help a request that has pinned alone for this long and has this
 * many pages left. Memory that is present is pinned faster than a thread starts.
 */
#define ALONE_NS	NSEC_PER_MSEC
#define HELPED_PAGES	(SZ_16M / PAGE_SIZE)

/* Tests make batches small to test their boundaries. */
static unsigned long batch_capacity(void)
{
	return max(iommufd_mock_limit_memory(PAGE_SIZE) / sizeof(void *), 1);
}

/* The block for which the pages have room. */
static struct iommufd_block *own_block(struct iommufd_pages *pages)
{
	static_assert(sizeof(pages->block_room) >=
		      struct_size_t(struct iommufd_block, runs, 1));
	return (struct iommufd_block *)pages->block_room;
}

static void free_block(struct iommufd_pages *pages, struct iommufd_block *block)
{
	if (block == own_block(pages))
		iommufd_pages_free_room(pages, IOMMUFD_ROOM_BLOCK);
	else
		kfree(block);
}

static int start_block(struct iommufd_pinning *pinning)
{
	struct iommufd_pages *pages = pinning->pages;

	if (!iommufd_pages_take_room(pages, IOMMUFD_ROOM_BLOCK))
		return iommufd_builder_start(&pinning->builder, pinning->index,
					     pinning->last - pinning->index + 1);
	iommufd_builder_start_in(&pinning->builder, pinning->index,
				 own_block(pages));
	return 0;
}

/* Add the block under construction to the store. */
static void finish_block(struct iommufd_pinning *pinning)
{
	struct iommufd_block_builder *builder = &pinning->builder;

	if (!builder->nr_runs) {
		free_block(pinning->pages, builder->block);
		builder->block = NULL;
		return;
	}
	builder->block->charge_set = pinning->pages->charge_set;
	mutex_lock(&pinning->pages->lock);
	iommufd_builder_finish(&pinning->builder, &pinning->pages->blocks);
	mutex_unlock(&pinning->pages->lock);
}

/**
 * iommufd_pinning_next_block - continue in another block as the current is full
 * @pinning: the pinning
 *
 * The block for which the pages have room is moved to a larger one. Any other is
 * finished.
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_pinning_next_block(struct iommufd_pinning *pinning)
{
	struct iommufd_pages *pages = pinning->pages;
	struct iommufd_block *block = pinning->builder.block;
	unsigned long npages = pinning->last - pinning->index + 1;
	int ret;

	if (block != own_block(pages)) {
		finish_block(pinning);
		return iommufd_builder_start(&pinning->builder, pinning->index,
					     npages);
	}
	ret = iommufd_builder_enlarge(&pinning->builder,
				      npages + pinning->builder.covered);
	if (!ret)
		free_block(pages, block);
	return ret;
}

static int pin_batch(struct iommufd_pinning *pinning)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	if (iommufd_mock_should_fail())
		return -ENOMEM;
	switch (pinning->pages->source) {
	case IOMMUFD_SOURCE_VA:
		return iommufd_pin_va(pinning);
	case IOMMUFD_SOURCE_MEMFD:
		return iommufd_pin_memfd(pinning);
	default:
		return -EOPNOTSUPP;
	}
}

/* No entry of a page table crosses two blocks, so none should end in a folio. */
static bool at_end_of_folio(const struct iommufd_pinning *pinning)
{
	unsigned long next = pinning->builder.next_pfn;
	const struct folio *folio;

	if (!pinning->builder.covered)
		return false;
	folio = page_folio(pfn_to_page(next - 1));
	return next == folio_pfn(folio) + folio_nr_pages(folio);
}

/**
 * iommufd_pin_part - pin pages with one thread and add them to the store
 * @pages: the pages
 * @index: first index to pin; set to the first that was not pinned
 * @last: last index to pin
 * @until_ns: time to stop at, even if pages remain, but not within a folio; 0 to
 *	pin all of them
 *
 * The pages before @index stay pinned, also on failure.
 *
 * Context: May fault on user memory. The caller, or the thread it helps, must
 * hold the pin_lock of @pages.
 * Return: see iommufd_pin_blocks().
 */
int iommufd_pin_part(struct iommufd_pages *pages, unsigned long *index,
		     unsigned long last, u64 until_ns)
{
	struct page *small[SMALL_BATCH] __uninitialized;
	struct iommufd_pinning pinning = {
		.pages = pages,
		.index = *index,
		.last = last,
		.batch.pages = small,
		.capacity = min(batch_capacity(), SMALL_BATCH),
	};
	int ret;

	if (last - *index >= SMALL_BATCH) {
		pinning.capacity = batch_capacity();
		pinning.batch.pages =
			kmalloc_array(BATCH, sizeof(void *), GFP_KERNEL);
		if (!pinning.batch.pages)
			return -ENOMEM;
	}
	ret = start_block(&pinning);
	while (!ret && pinning.index <= last) {
		ret = pin_batch(&pinning);
		cond_resched();
		if (until_ns && ktime_get_ns() >= until_ns &&
		    at_end_of_folio(&pinning))
			break;
	}
	finish_block(&pinning);
	*index = pinning.index;
	if (pinning.batch.pages != small)
		kfree(pinning.batch.pages);
	return ret;
}

/*
 * Requests for single pages are frequent, and most of what the general path does
 * is for more than one. Returns -EAGAIN if that has to pin the page, or has to
 * tell why it can't be pinned.
 */
static int pin_single(struct iommufd_pages *pages, unsigned long index)
{
	unsigned long address = pages->start + index * PAGE_SIZE;
	unsigned int flags = FOLL_LONGTERM;
	struct page *page;

	if (pages->source != IOMMUFD_SOURCE_VA ||
	    pages->owner.process->mm != current->mm ||
	    !iommufd_pages_take_room(pages, IOMMUFD_ROOM_BLOCK))
		return -EAGAIN;
	if (pages->writable)
		flags |= FOLL_WRITE;
	if (pin_user_pages_fast(address, 1, flags, &page) != 1) {
		iommufd_pages_free_room(pages, IOMMUFD_ROOM_BLOCK);
		return -EAGAIN;
	}
	mutex_lock(&pages->lock);
	iommufd_block_of_page(own_block(pages), &pages->blocks, index,
			      page_to_pfn(page), pages->charge_set);
	mutex_unlock(&pages->lock);
	return 0;
}

static noinline int pin_several(struct iommufd_pages *pages,
				unsigned long *index, unsigned long last,
				const struct iommufd_requester *requester)
{
	u64 until_ns = 0;
	int ret;

	if (last + 1 - *index >= HELPED_PAGES && iommufd_pin_has_helpers())
		until_ns = ktime_get_ns() + ALONE_NS;
	ret = iommufd_pin_part(pages, index, last, until_ns);
	if (!ret && until_ns && last + 1 - *index >= HELPED_PAGES)
		iommufd_pin_parallel(pages, index, last, requester);
	return ret;
}

/**
 * iommufd_pin_blocks - pin pages and add them to the store
 * @pages: the pages
 * @index: first index to pin; set to the first that may not be pinned
 * @last: last index to pin
 * @requester: for the tracepoint
 *
 * None of the pages may be in the store yet. The new blocks have one user. On
 * failure, some of the pages stay pinned, and the caller must unpin them.
 *
 * Context: May fault on user memory. The caller must hold the pin_lock of
 * @pages.
 * Return: 0, -ENOMEM, -EINTR if the caller was killed, or the errno of the
 * pinning: -EFAULT if nothing is mapped at an address, if it is not writable,
 * or if it is not memory that can be used for DMA; -EINVAL beyond the end of a
 * file. With 0, if @index is not beyond @last, the caller must look for gaps
 * from @index on and pin them.
 */
int iommufd_pin_blocks(struct iommufd_pages *pages, unsigned long *index,
		       unsigned long last,
		       const struct iommufd_requester *requester)
{
	int ret;

	lockdep_assert_held(&pages->pin_lock);

	if (*index == last) {
		if (iommufd_mock_should_fail())
			return -ENOMEM;
		ret = pin_single(pages, last);
		if (ret != -EAGAIN) {
			(*index)++;
			return ret;
		}
	}
	return pin_several(pages, index, last, requester);
}

static __always_inline void unpin_run(unsigned long pfn, unsigned long npages,
				      bool dirty)
{
	struct folio *folio = pfn_folio(pfn);

	if (npages > 1 &&
	    pfn + npages > folio_pfn(folio) + folio_nr_pages(folio)) {
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), npages,
						 dirty);
		return;
	}
	/* The same for a single folio. Scattered memory has no other runs. */
	if (dirty && !folio_test_dirty(folio))
		folio_mark_dirty_lock(folio);
	unpin_user_folio(folio, npages);
}

/**
 * iommufd_unpin_block - unpin the pages of a block and free it
 * @pages: the pages
 * @block: a block without users. No page table maps it, and all IOTLBs that may
 *	have cached it have been flushed
 *
 * Context: The caller must hold the lock of @pages.
 * Return: the number of pages of the block.
 */
unsigned long iommufd_unpin_block(struct iommufd_pages *pages,
				  struct iommufd_block *block)
{
	unsigned long npages = block->node.last - block->node.start + 1;
	unsigned int i, nr_runs = iommufd_block_nr_runs(block);

	if (iommufd_sole_block(&pages->blocks))
		pages->blocks = RB_ROOT_CACHED;
	else
		interval_tree_remove(&block->node, &pages->blocks);
	/* The most frequent case: contiguous memory, or a single page. */
	if (nr_runs == 1) {
		unpin_run(iommufd_block_pfn(block, 0), npages, pages->writable);
		nr_runs = 0;
	}
	for (i = 0; i < nr_runs; i++) {
		struct iommufd_run run = iommufd_block_run(block, i);

		unpin_run(run.pfn, run.npages, pages->writable);
	}
	free_block(pages, block);
	cond_resched();
	return npages;
}
