// SPDX-License-Identifier: GPL-2.0-only
/*
 * An array of pages of one source. Areas in page tables and kernel drivers pin
 * ranges of it. The first user of a page pins and charges it, the last one
 * unpins it, however many users there are in between.
 */
#include <kunit/visibility.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bpf/policy.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"
#include "pages/pin.h"

static struct kmem_cache *pages_cache;

/* Free pages stay in this state, so that it is not set for each request. */
static void construct_pages(void *object)
{
	struct iommufd_pages *pages = object;

	mutex_init(&pages->pin_lock);
	mutex_init(&pages->lock);
	pages->blocks = RB_ROOT_CACHED;
	pages->rooms = 0;
}

/**
 * iommufd_pages_init - prepare for the allocation of pages
 *
 * Context: Module init.
 * Return: 0 or -ENOMEM.
 */
int iommufd_pages_init(void)
{
	pages_cache = kmem_cache_create("iommufd_pages",
					sizeof(struct iommufd_pages),
					__alignof__(struct iommufd_pages),
					SLAB_ACCOUNT, construct_pages);
	return pages_cache ? 0 : -ENOMEM;
}

/**
 * iommufd_pages_exit - undo iommufd_pages_init()
 *
 * Context: Module exit. All pages are gone.
 */
void iommufd_pages_exit(void)
{
	kmem_cache_destroy(pages_cache);
}

static struct iommufd_pages *new_pages(struct iommufd_ctx *ctx,
				       enum iommufd_source source,
				       unsigned long start, bool writable)
{
	struct iommufd_pages *pages = kmem_cache_alloc(pages_cache, GFP_KERNEL);

	if (!pages)
		return ERR_PTR(-ENOMEM);
	if (iommufd_owner_init(&pages->owner, ctx, source)) {
		kmem_cache_free(pages_cache, pages);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&pages->refs, 1);
	pages->source = source;
	pages->writable = writable;
	pages->moving = false;
	pages->charge_set = 0;
	pages->start = ALIGN_DOWN(start, PAGE_SIZE);
	return pages;
}

/**
 * iommufd_pages_from_va - allocate pages for memory of the calling process
 * @ctx: the context
 * @uptr: user address
 * @writable: pin them for writing
 *
 * The memory is neither pinned nor checked yet.
 *
 * Return: the pages with one reference, or ERR_PTR(-ENOMEM).
 */
struct iommufd_pages *iommufd_pages_from_va(struct iommufd_ctx *ctx,
					    unsigned long uptr, bool writable)
{
	return new_pages(ctx, IOMMUFD_SOURCE_VA, uptr, writable);
}

/**
 * iommufd_pages_from_memfd - allocate pages for a memfd
 * @ctx: the context
 * @file: the memfd, on which a reference is taken
 * @start: offset into the file
 * @writable: DMA may write to them
 *
 * The memory is not pinned yet, and the range is not checked. With @writable,
 * the file counts one more writable mapping as long as the pages exist, as for
 * a shared mmap(): it can't be sealed against writing.
 *
 * Return: the pages with one reference, or an ERR_PTR: -EPERM if the file is
 * sealed against writing, or -ENOMEM.
 */
struct iommufd_pages *iommufd_pages_from_memfd(struct iommufd_ctx *ctx,
					       struct file *file,
					       unsigned long start,
					       bool writable)
{
	struct iommufd_pages *pages;
	int ret;

	ret = writable ? mapping_map_writable(file->f_mapping) : 0;
	if (ret)
		return ERR_PTR(ret);
	pages = new_pages(ctx, IOMMUFD_SOURCE_MEMFD, start, writable);
	if (!IS_ERR(pages))
		pages->file = get_file(file);
	else if (writable)
		mapping_unmap_writable(file->f_mapping);
	return pages;
}

/**
 * iommufd_pages_from_dmabuf - allocate pages for a dma-buf of a device
 * @ctx: the context
 * @dma_buf: the dma-buf, on which a reference is taken
 * @start: offset into it
 * @length: bytes
 * @writable: DMA may write to them
 *
 * Return: the pages with one reference, or an ERR_PTR, see
 * iommufd_dmabuf_attach().
 */
struct iommufd_pages *iommufd_pages_from_dmabuf(struct iommufd_ctx *ctx,
						struct dma_buf *dma_buf,
						unsigned long start,
						unsigned long length,
						bool writable)
{
	struct iommufd_dmabuf *dmabuf;
	struct iommufd_pages *pages;
	phys_addr_t phys;

	dmabuf = iommufd_dmabuf_attach(dma_buf, start, length, &phys);
	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	pages = new_pages(ctx, IOMMUFD_SOURCE_DMABUF, phys, writable);
	if (IS_ERR(pages))
		iommufd_dmabuf_detach(dmabuf);
	else
		pages->dmabuf = dmabuf;
	return pages;
}

static noinline void put_source(struct iommufd_pages *pages)
{
	if (pages->source == IOMMUFD_SOURCE_MEMFD) {
		if (pages->writable)
			mapping_unmap_writable(pages->file->f_mapping);
		fput(pages->file);
	} else if (!iommufd_pages_are_memory(pages)) {
		iommufd_dmabuf_detach(pages->dmabuf);
	}
}

/**
 * iommufd_pages_put - drop a reference
 * @pages: the pages, freed with the last reference
 */
void iommufd_pages_put(struct iommufd_pages *pages)
{
	if (!refcount_dec_and_test(&pages->refs))
		return;
	WARN_ON(!RB_EMPTY_ROOT(&pages->blocks.rb_root) || pages->rooms);
	iommufd_owner_release(&pages->owner);
	if (pages->source != IOMMUFD_SOURCE_VA)
		put_source(pages);
	kmem_cache_free(pages_cache, pages);
}

static noinline struct iommufd_block *search_block(struct iommufd_pages *pages,
						   unsigned long first,
						   unsigned long last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(&pages->blocks, first, last);
	return node ? container_of(node, struct iommufd_block, node) : NULL;
}

static __always_inline struct iommufd_block *
first_block(struct iommufd_pages *pages, unsigned long first,
	    unsigned long last)
{
	struct iommufd_block *sole = iommufd_sole_block(&pages->blocks);

	if (sole && sole->node.start <= last && sole->node.last >= first)
		return sole;
	return search_block(pages, first, last);
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
 * iommufd_pages_split_at - split the block that crosses the start of a page
 * @pages: the pages
 * @index: index of the page
 *
 * Users of a range across @index can then unpin it in two parts.
 *
 * Context: The caller must hold the pin_lock and the lock of @pages.
 * Return: 0 or -ENOMEM.
 */
int iommufd_pages_split_at(struct iommufd_pages *pages, unsigned long index)
{
	struct iommufd_block *block;

	lockdep_assert_held(&pages->pin_lock);
	lockdep_assert_held(&pages->lock);

	block = first_block(pages, index, index);
	if (!block || block->node.start == index)
		return 0;
	return iommufd_block_split(block, &pages->blocks, index) ? 0 : -ENOMEM;
}

static void uncharge_policies(struct iommufd_pages *pages, u16 set,
			      unsigned long npages,
			      const struct iommufd_requester *requester)
{
	if (set && npages)
		iommufd_policy_uncharge(&pages->owner, set, npages, requester);
}

/*
 * Returns the number of pages that were unpinned as they have no more users.
 * They are uncharged from policies here.
 */
static unsigned long unuse(struct iommufd_pages *pages, unsigned long first,
			   unsigned long last,
			   const struct iommufd_requester *requester)
{
	struct iommufd_block *block, *next;
	unsigned long unpinned = 0, npages, charged = 0;
	u16 set, last_set = 0;

	lockdep_assert_held(&pages->lock);

	for (block = first_block(pages, first, last); block; block = next) {
		next = next_block(block, first, last);
		/* Others use a part of it: better leak it than unpin it. */
		if (WARN_ON(block->node.start < first ||
			    block->node.last > last))
			continue;
		if (--block->users)
			continue;
		set = block->charge_set;
		npages = iommufd_unpin_block(pages, block);
		unpinned += npages;
		/* One call for adjacent blocks that are charged alike. */
		if (set != last_set)
			uncharge_policies(pages, last_set, charged, requester);
		charged = set == last_set ? charged + npages : npages;
		last_set = set;
	}
	uncharge_policies(pages, last_set, charged, requester);
	return unpinned;
}

/*
 * Add a user to the blocks that exist in a range. As users are counted per
 * block, first split blocks at the bounds of the range. Sets @missing to the
 * number of pages that are in no block.
 */
static int use_present(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last, unsigned long *missing)
{
	struct iommufd_block *block;
	int ret;

	*missing = last - first + 1;
	/* No blocks mean no users, and pin_lock keeps new ones out. */
	if (RB_EMPTY_ROOT(&pages->blocks.rb_root))
		return 0;

	mutex_lock(&pages->lock);
	ret = iommufd_pages_split_at(pages, first);
	if (!ret)
		ret = iommufd_pages_split_at(pages, last + 1);
	if (ret)
		goto unlock;
	for (block = first_block(pages, first, last); block;
	     block = next_block(block, first, last)) {
		block->users++;
		*missing -= iommufd_block_npages(block);
	}
unlock:
	mutex_unlock(&pages->lock);
	return ret;
}

/*
 * Find the first gap between blocks from @index on. The caller is a user of all
 * blocks in the range, so they stay. Blocks outside of it may come and go.
 */
static bool find_gap(struct iommufd_pages *pages, unsigned long *index,
		     unsigned long *end, unsigned long last)
{
	struct iommufd_block *block;

	mutex_lock(&pages->lock);
	*end = last;
	for (block = first_block(pages, *index, last); block;
	     block = next_block(block, *index, last)) {
		if (block->node.start > *index) {
			*end = block->node.start - 1;
			break;
		}
		*index = block->node.last + 1;
	}
	mutex_unlock(&pages->lock);
	return *index <= last;
}

static int pin_missing(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last, unsigned long missing,
		       const struct iommufd_requester *requester)
{
	unsigned long index = first, end = last;
	int ret = 0;

	if (missing == last - first + 1)
		ret = iommufd_pin_blocks(pages, &index, last, requester);
	while (!ret && index <= last && find_gap(pages, &index, &end, last))
		ret = iommufd_pin_blocks(pages, &index, end, requester);
	return ret;
}

static unsigned long count_missing(struct iommufd_pages *pages,
				   unsigned long first, unsigned long last)
{
	struct iommufd_block *block;
	unsigned long missing = last - first + 1;

	mutex_lock(&pages->lock);
	for (block = first_block(pages, first, last); block;
	     block = next_block(block, first, last))
		missing -= iommufd_block_npages(block);
	mutex_unlock(&pages->lock);
	return missing;
}

/**
 * iommufd_pages_charge_late - charge pinned pages to policies that were attached
 *	after they were pinned
 * @pages: the pages, which must be memory
 * @first: first index
 * @last: last index
 * @requester: on whose behalf
 *
 * A block that is in the range only in part is charged as a whole.
 *
 * Return: the number of pages that were charged, or -ENOMEM if there is not
 * enough memory for the records; some may have been charged then.
 */
long iommufd_pages_charge_late(struct iommufd_pages *pages, unsigned long first,
			       unsigned long last,
			       const struct iommufd_requester *requester)
{
	unsigned long npages, charged = 0;
	struct iommufd_block *block, *end;
	int ret = 0;
	u16 set;

	mutex_lock(&pages->lock);
	block = first_block(pages, first, last);
	while (block) {
		/* One call for adjacent blocks that are charged alike. */
		set = block->charge_set;
		npages = 0;
		for (end = block; end && end->charge_set == set;
		     end = next_block(end, first, last))
			npages += iommufd_block_npages(end);
		ret = iommufd_policy_charge_late(&pages->owner, npages,
						 requester, &set);
		if (ret < 0)
			break;
		if (ret)
			charged += npages;
		for (; block != end; block = next_block(block, first, last))
			block->charge_set = set;
	}
	mutex_unlock(&pages->lock);
	return ret < 0 ? ret : charged;
}

/*
 * A walk over pinned pages misses those that were charged before it has begun
 * and are added to the store behind it, and those that get a user behind it and
 * lose the users before it. So the new user charges them.
 *
 * @round is the number of walks when the pages were charged. Pages that were
 * present were charged earlier: it is 0.
 */
static int charge_missed(struct iommufd_pages *pages, unsigned long first,
			 unsigned long last,
			 const struct iommufd_requester *requester,
			 unsigned int round)
{
	long ret;

	if (round == iommufd_policy_late_round())
		return 0;
	ret = iommufd_pages_charge_late(pages, first, last, requester);
	return ret < 0 ? ret : 0;
}

/**
 * iommufd_pages_pin - pin a range of pages and add a user to it
 * @pages: the pages, which must be memory
 * @first: first index
 * @last: last index
 * @requester: for the tracepoint
 * @pinned: increased by the number of pages that were not pinned before
 *
 * The caller ends this with iommufd_pages_unpin() of the same range.
 *
 * Context: May fault on user memory. The caller must hold the pin_lock of
 * @pages, and no lock of the IOAS.
 * Return: 0, -ENOMEM if there is not enough memory or the owner's limit is
 * exceeded, -EINTR if the caller was killed, or an errno of a policy or of
 * iommufd_pin_blocks(). Nothing is changed on failure.
 */
int iommufd_pages_pin(struct iommufd_pages *pages, unsigned long first,
		      unsigned long last,
		      const struct iommufd_requester *requester,
		      unsigned long *pinned)
{
	unsigned long missing;
	unsigned int round = 0;
	int ret;

	lockdep_assert_held(&pages->pin_lock);

	ret = use_present(pages, first, last, &missing);
	if (ret)
		return ret;
	if (!missing)
		goto present;
	if (missing == last - first + 1)
		round = iommufd_policy_late_round();
	ret = iommufd_owner_charge(&pages->owner, missing, requester,
				   &pages->charge_set);
	if (ret)
		goto unpin;
	ret = pin_missing(pages, first, last, missing, requester);
	if (ret)
		goto uncharge;
present:
	ret = charge_missed(pages, first, last, requester, round);
	if (ret)
		goto unpin;
	*pinned += missing;
	return 0;

uncharge:
	/* Blocks that were pinned are uncharged when they are unpinned. */
	missing = count_missing(pages, first, last);
	if (missing) {
		uncharge_policies(pages, pages->charge_set, missing, requester);
		iommufd_owner_uncharge(&pages->owner, missing, requester);
	}
unpin:
	/* The other users of a block that was present may have gone. */
	iommufd_pages_unpin(pages, first, last, requester);
	return ret;
}

/*
 * The lock protects the owner, but must not be held while waiting for
 * mmap_lock: use a copy of the owner.
 */
static noinline void
unlock_and_uncharge(struct iommufd_pages *pages, unsigned long npages,
		    const struct iommufd_requester *requester)
	__releases(&pages->lock)
{
	struct iommufd_owner owner;

	iommufd_owner_copy(&owner, &pages->owner);
	mutex_unlock(&pages->lock);
	iommufd_owner_uncharge(&owner, npages, requester);
	iommufd_owner_release(&owner);
}

/**
 * iommufd_pages_unpin - remove a user from a range of pages
 * @pages: the pages
 * @first: first index
 * @last: last index
 * @requester: for the tracepoint
 *
 * Unpins the pages that have no more users: DMA to them must have ended, see
 * iommufd_unpin_block(). This never fails, allocates nothing, and does not wait
 * for page faults.
 *
 * Return: the number of pages unpinned.
 */
unsigned long iommufd_pages_unpin(struct iommufd_pages *pages,
				  unsigned long first, unsigned long last,
				  const struct iommufd_requester *requester)
{
	unsigned long unpinned;

	mutex_lock(&pages->lock);
	unpinned = unuse(pages, first, last, requester);
	if (unpinned && iommufd_owner_waits(&pages->owner)) {
		unlock_and_uncharge(pages, unpinned, requester);
		return unpinned;
	}
	if (unpinned)
		iommufd_owner_uncharge(&pages->owner, unpinned, requester);
	mutex_unlock(&pages->lock);
	return unpinned;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_pages_unpin);

/**
 * iommufd_pages_count_runs - count the runs in a range of pages
 * @pages: the pages
 * @first: first index, the start of a block
 * @last: last index, the end of a block
 *
 * This takes time by blocks, not by runs.
 *
 * Context: The caller must hold the lock of @pages.
 * Return: the number of iterations of iommufd_for_each_run().
 */
unsigned long iommufd_pages_count_runs(struct iommufd_pages *pages,
				       unsigned long first, unsigned long last)
{
	struct iommufd_block *block;
	unsigned long runs = 0;

	for (block = first_block(pages, first, last); block;
	     block = next_block(block, first, last))
		runs += iommufd_block_nr_runs(block);
	return runs;
}

#define for_each_block(block, pages)                              \
	for (block = first_block(pages, 0, ULONG_MAX); block;     \
	     block = next_block(block, 0, ULONG_MAX))

static unsigned long count_present(struct iommufd_pages *pages)
{
	struct iommufd_block *block;
	unsigned long present = 0;

	lockdep_assert_held(&pages->lock);

	for_each_block(block, pages)
		present += iommufd_block_npages(block);
	return present;
}

/* Uncharge the policies of all blocks, or with @back charge them again. */
static void move_blocks(struct iommufd_pages *pages, bool back,
			const struct iommufd_requester *requester)
{
	struct iommufd_block *block;

	for_each_block(block, pages)
		if (block->charge_set)
			iommufd_policy_move(&pages->owner, block->charge_set,
					    iommufd_block_npages(block), back,
					    requester);
}

/*
 * Move the charge of policies to another owner. They are uncharged first, so
 * that a move within a cgroup, for example, does not need twice the room.
 */
static int move_policies(struct iommufd_pages *pages,
			 struct iommufd_owner *owner, unsigned long present,
			 bool force, const struct iommufd_requester *requester)
{
	struct iommufd_block *block;
	u16 set;
	int ret;

	lockdep_assert_held(&pages->lock);

	move_blocks(pages, false, requester);
	ret = iommufd_policy_charge(owner, present, force, requester, &set);
	if (ret) {
		move_blocks(pages, true, requester);
		return ret;
	}
	for_each_block(block, pages) {
		if (block->charge_set)
			iommufd_policy_moved(block->charge_set,
					     iommufd_block_npages(block));
		block->charge_set = set;
	}
	return 0;
}

/*
 * An unpin before the swap uncharges the old owner. The new owner, which was
 * charged too, is uncharged here. Policies are called under the lock, so for
 * them, this is one step.
 */
static int change_owner(struct iommufd_pages *pages,
			struct iommufd_owner *owner, bool force,
			const struct iommufd_requester *requester)
{
	unsigned long before, present;
	int ret;

	lockdep_assert_held(&pages->pin_lock);

	mutex_lock(&pages->lock);
	before = count_present(pages);
	mutex_unlock(&pages->lock);
	ret = iommufd_owner_take_over(owner, &pages->owner, before, force,
				      requester);
	if (ret)
		return ret;

	mutex_lock(&pages->lock);
	present = count_present(pages);
	ret = present ? move_policies(pages, owner, present, force, requester) :
			0;
	if (ret) {
		mutex_unlock(&pages->lock);
		iommufd_owner_give_up(owner, &pages->owner, before, requester);
		return ret;
	}
	swap(pages->owner, *owner);
	mutex_unlock(&pages->lock);
	iommufd_owner_give_up(&pages->owner, owner, before - present,
			      requester);
	iommufd_owner_give_up(owner, &pages->owner, present, requester);
	return 0;
}

/**
 * iommufd_pages_change_owner - charge pinned pages to another process
 * @pages: the pages
 * @owner: the new owner; set to the old one on success
 * @force: ignore the new owner's limit
 * @requester: for the tracepoint
 *
 * Return: 0, -ENOMEM if the new owner's limit would be exceeded or the errno of
 * a policy, neither of which can happen with @force, or -EINTR if the caller was
 * killed.
 */
int iommufd_pages_change_owner(struct iommufd_pages *pages,
			       struct iommufd_owner *owner, bool force,
			       const struct iommufd_requester *requester)
{
	int ret;

	ret = mutex_lock_killable(&pages->pin_lock);
	if (ret)
		return ret;
	ret = change_owner(pages, owner, force, requester);
	mutex_unlock(&pages->pin_lock);
	return ret;
}
