// SPDX-License-Identifier: GPL-2.0-only
/*
 * An array of pages of one source. Whoever needs a part of it - an area that is
 * in page tables, a driver in the kernel - uses that part: the first user pins
 * and charges its pages, the last one unpins them, however many there are.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "pages/dmabuf.h"
#include "pages/pages.h"

static struct iommufd_pages *new_pages(enum iommufd_source source,
				       unsigned long start, bool writable,
				       enum iommufd_accounting mode)
{
	struct iommufd_pages *pages = kzalloc_obj(*pages, GFP_KERNEL_ACCOUNT);

	if (!pages)
		return ERR_PTR(-ENOMEM);
	refcount_set(&pages->refs, 1);
	mutex_init(&pages->lock);
	pages->blocks = RB_ROOT_CACHED;
	pages->source = source;
	pages->writable = writable;
	pages->start = ALIGN_DOWN(start, PAGE_SIZE);
	iommufd_owner_init(&pages->owner, mode);
	return pages;
}

/**
 * iommufd_pages_from_va - pages of the calling process
 * @uptr: user address
 * @writable: pin them for writing
 * @mode: how the context charges pinned pages
 *
 * Nothing is pinned or looked at yet.
 *
 * Returns the pages with one reference, or ERR_PTR(-ENOMEM).
 */
struct iommufd_pages *iommufd_pages_from_va(unsigned long uptr, bool writable,
					    enum iommufd_accounting mode)
{
	return new_pages(IOMMUFD_SOURCE_VA, uptr, writable, mode);
}

/**
 * iommufd_pages_from_memfd - pages of a file of memory
 * @file: a memfd, of which a reference is taken
 * @start: offset into the file
 * @writable: DMA may write to them
 * @mode: how the context charges pinned pages
 *
 * Nothing is pinned yet, and what the file has at that offset is not looked at.
 *
 * Returns the pages with one reference, or ERR_PTR(-ENOMEM).
 */
struct iommufd_pages *iommufd_pages_from_memfd(struct file *file,
					       unsigned long start,
					       bool writable,
					       enum iommufd_accounting mode)
{
	struct iommufd_pages *pages;

	pages = new_pages(IOMMUFD_SOURCE_MEMFD, start, writable, mode);
	if (!IS_ERR(pages))
		pages->file = get_file(file);
	return pages;
}

/**
 * iommufd_pages_from_dmabuf - pages of a device
 * @dma_buf: the dma-buf, of which a reference is taken
 * @start: offset into it
 * @length: bytes
 *
 * Returns the pages with one reference, or an ERR_PTR, see
 * iommufd_dmabuf_attach().
 */
struct iommufd_pages *iommufd_pages_from_dmabuf(struct dma_buf *dma_buf,
						unsigned long start,
						unsigned long length)
{
	struct iommufd_dmabuf *dmabuf;
	struct iommufd_pages *pages;
	phys_addr_t phys;

	dmabuf = iommufd_dmabuf_attach(dma_buf, start, length, &phys);
	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	pages = new_pages(IOMMUFD_SOURCE_DMABUF, phys, true,
			  IOMMUFD_ACCOUNT_NONE);
	if (IS_ERR(pages))
		iommufd_dmabuf_detach(dmabuf);
	else
		pages->dmabuf = dmabuf;
	return pages;
}

/**
 * iommufd_pages_put - give a reference back
 * @pages: the pages, freed with the last one
 */
void iommufd_pages_put(struct iommufd_pages *pages)
{
	if (!refcount_dec_and_test(&pages->refs))
		return;
	WARN_ON(!RB_EMPTY_ROOT(&pages->blocks.rb_root));
	iommufd_owner_release(&pages->owner);
	if (pages->source == IOMMUFD_SOURCE_MEMFD)
		fput(pages->file);
	else if (pages->source == IOMMUFD_SOURCE_DMABUF)
		iommufd_dmabuf_detach(pages->dmabuf);
	mutex_destroy(&pages->lock);
	kfree(pages);
}

static struct iommufd_block *first_block(struct iommufd_pages *pages,
					 unsigned long first,
					 unsigned long last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(&pages->blocks, first, last);
	return node ? container_of(node, struct iommufd_block, node) : NULL;
}

static struct iommufd_block *next_block(struct iommufd_block *block,
					unsigned long first, unsigned long last)
{
	struct interval_tree_node *node;

	if (block->node.last >= last)
		return NULL;
	node = interval_tree_iter_next(&block->node, first, last);
	return node ? container_of(node, struct iommufd_block, node) : NULL;
}

/**
 * iommufd_pages_split_at - let no block lie on both sides of a page's start
 * @pages: the pages; its lock is held
 * @index: index of the page
 *
 * A part that is used can then be given back in two.
 *
 * Returns 0 or -ENOMEM.
 */
int iommufd_pages_split_at(struct iommufd_pages *pages, unsigned long index)
{
	struct iommufd_block *block = first_block(pages, index, index);

	if (!block || block->node.start == index)
		return 0;
	return iommufd_block_split(block, &pages->blocks, index) ? 0 : -ENOMEM;
}

static unsigned long count_missing(struct iommufd_pages *pages,
				   unsigned long first, unsigned long last)
{
	unsigned long missing = last - first + 1;
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(&pages->blocks, first, last); node;
	     node = interval_tree_iter_next(node, first, last))
		missing -= node->last - node->start + 1;
	return missing;
}

/**
 * iommufd_pages_present - whether a part of the pages is pinned
 * @pages: the pages; its lock is held
 * @first: first index
 * @last: last index
 */
bool iommufd_pages_present(struct iommufd_pages *pages, unsigned long first,
			   unsigned long last)
{
	struct interval_tree_node *node;

	lockdep_assert_held(&pages->lock);

	for (node = interval_tree_iter_first(&pages->blocks, first, last); node;
	     node = interval_tree_iter_next(node, first, last)) {
		if (node->start > first)
			return false;
		if (node->last >= last)
			return true;
		first = node->last + 1;
	}
	return false;
}

static unsigned long unuse(struct iommufd_pages *pages, unsigned long first,
			   unsigned long last)
{
	struct iommufd_block *block, *next;
	unsigned long unpinned = 0;

	for (block = first_block(pages, first, last); block; block = next) {
		next = next_block(block, first, last);
		if (!--block->users)
			unpinned += iommufd_unpin_block(pages, block);
	}
	return unpinned;
}

/**
 * iommufd_pages_use - pin and keep a part of the pages
 * @pages: the pages; its lock is held
 * @first: first index
 * @last: last index
 * @requester: for the tracepoint
 * @pinned: increased by the number of pages that nobody had pinned
 *
 * Ended with iommufd_pages_unuse() of the same part.
 *
 * Returns 0, -ENOMEM if memory is short or the owner's limit reached, or see
 * iommufd_pin_blocks(). Nothing is changed on failure.
 */
int iommufd_pages_use(struct iommufd_pages *pages, unsigned long first,
		      unsigned long last,
		      const struct iommufd_requester *requester,
		      unsigned long *pinned)
{
	unsigned long missing, index = first, done;
	int ret;

	lockdep_assert_held(&pages->lock);

	if (!iommufd_pages_are_memory(pages))
		return 0;

	/* Users are counted by block: bring the bounds into line. */
	ret = iommufd_pages_split_at(pages, first);
	if (!ret)
		ret = iommufd_pages_split_at(pages, last + 1);
	if (ret)
		return ret;

	missing = count_missing(pages, first, last);
	if (missing) {
		ret = iommufd_owner_charge(&pages->owner, missing, requester);
		if (ret)
			return ret;
	}

	while (index <= last) {
		struct iommufd_block *block = first_block(pages, index, last);

		if (block && block->node.start == index) {
			block->users++;
			index = block->node.last + 1;
			continue;
		}
		ret = iommufd_pin_blocks(pages, &index,
					 block ? block->node.start - 1 : last);
		if (ret)
			goto undo;
	}
	*pinned += missing;
	return 0;

undo:
	done = index > first ? unuse(pages, first, index - 1) : 0;
	WARN_ON(done > missing);
	iommufd_owner_uncharge(&pages->owner, missing, requester);
	return ret;
}

/**
 * iommufd_pages_unuse - let go of a part of the pages
 * @pages: the pages; its lock is held
 * @first: first index
 * @last: last index
 * @requester: for the tracepoint
 *
 * What no one else uses is unpinned: DMA to it must have ended, see
 * iommufd_unpin_block(). Never fails and allocates nothing.
 *
 * Returns the number of pages unpinned.
 */
unsigned long iommufd_pages_unuse(struct iommufd_pages *pages,
				  unsigned long first, unsigned long last,
				  const struct iommufd_requester *requester)
{
	unsigned long unpinned;

	lockdep_assert_held(&pages->lock);

	unpinned = unuse(pages, first, last);
	if (unpinned)
		iommufd_owner_uncharge(&pages->owner, unpinned, requester);
	return unpinned;
}

/**
 * iommufd_pages_count_runs - count the runs of a part of the pages
 * @pages: the pages; its lock is held
 * @first: first index, the start of a block
 * @last: last index, the end of a block
 *
 * Returns how often iommufd_for_each_run() would come by, at the cost of blocks.
 */
unsigned long iommufd_pages_count_runs(struct iommufd_pages *pages,
				       unsigned long first, unsigned long last)
{
	struct iommufd_block *block;
	unsigned long runs = 0;

	for (block = first_block(pages, first, last); block;
	     block = next_block(block, first, last))
		runs += block->nr_runs;
	return runs;
}

static unsigned long count_present(struct iommufd_pages *pages)
{
	struct interval_tree_node *node;
	unsigned long present = 0;

	for (node = interval_tree_iter_first(&pages->blocks, 0, ULONG_MAX);
	     node; node = interval_tree_iter_next(node, 0, ULONG_MAX))
		present += node->last - node->start + 1;
	return present;
}

/**
 * iommufd_pages_change_owner - let somebody else bear what is pinned
 * @pages: the pages
 * @owner: the new owner; on success set to the old one
 * @force: whatever the new owner's limit
 * @requester: for the tracepoint
 *
 * Returns 0 or -ENOMEM if the new owner's limit does not allow it, which can't
 * be with @force.
 */
int iommufd_pages_change_owner(struct iommufd_pages *pages,
			       struct iommufd_owner *owner, bool force,
			       const struct iommufd_requester *requester)
{
	int ret;

	mutex_lock(&pages->lock);
	ret = iommufd_owner_transfer(&pages->owner, owner,
				     count_present(pages), force, requester);
	if (!ret)
		swap(pages->owner, *owner);
	mutex_unlock(&pages->lock);
	return ret;
}
