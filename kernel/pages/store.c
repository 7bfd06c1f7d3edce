// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of consecutive PFNs, packed into blocks. This is a plain data structure:
 * pages/pages.c pins the pages and provides locking.
 */
#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/slab.h>
#include <linux/unroll.h>

#include "pages/store.h"

/* Number of the run that contains an index of the block. */
static unsigned int find_run(const struct iommufd_block *block,
			     unsigned long index)
{
	unsigned long offset = index - block->node.start;
	unsigned int low = 0, high = block->nr_runs;

	if (!block->nr_runs)
		return offset;
	while (high - low > 1) {
		unsigned int mid = (low + high) / 2;

		if (iommufd_run_start(block->runs[mid]) <= offset)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static struct iommufd_block *to_block(struct interval_tree_node *node)
{
	return node ? container_of(node, struct iommufd_block, node) : NULL;
}

/**
 * iommufd_run_first - find the first run in an interval
 * @iter: the iterator
 * @blocks: blocks, which must not change while the iterator is used
 * @first: first index of the interval
 * @last: last index of the interval
 *
 * Return: true if there is a run in the interval.
 */
bool iommufd_run_first(struct iommufd_run_iter *iter,
		       struct rb_root_cached *blocks, unsigned long first,
		       unsigned long last)
{
	struct iommufd_block *sole = iommufd_sole_block(blocks);
	unsigned long skip;

	iter->last = last;
	if (sole && sole->node.start <= last && sole->node.last >= first)
		iter->block = sole;
	else
		iter->block = to_block(interval_tree_iter_first(blocks, first,
								last));
	if (!iter->block)
		return false;
	first = max(first, iter->block->node.start);
	iter->i = find_run(iter->block, first);
	iter->run = iommufd_block_run(iter->block, iter->i);

	skip = first - iter->run.index;
	iter->run.index += skip;
	iter->run.pfn += skip;
	iter->run.npages -= skip;
	iommufd_run_clamp(iter);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_run_first);

/**
 * iommufd_run_next_block - go to the first run of the next block
 * @iter: the iterator
 *
 * Return: true if there is a next block in the interval.
 */
bool iommufd_run_next_block(struct iommufd_run_iter *iter)
{
	struct interval_tree_node *node = &iter->block->node;

	if (node->last >= iter->last)
		return false;
	node = interval_tree_iter_next(node, node->start, iter->last);
	iter->block = to_block(node);
	if (!iter->block)
		return false;
	iter->i = 0;
	iter->run = iommufd_block_run(iter->block, 0);
	iommufd_run_clamp(iter);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_run_next_block);

/* No warning in the log: callers return -ENOMEM to the user. */
VISIBLE_IF_KUNIT struct iommufd_block *iommufd_block_alloc(size_t size)
{
	KUNIT_STATIC_STUB_REDIRECT(iommufd_block_alloc, size);

	return kmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_block_alloc);

static size_t size_of_runs(unsigned int nr_runs)
{
	return struct_size_t(struct iommufd_block, runs, nr_runs);
}

static size_t size_of_pfns(unsigned int npages)
{
	return sizeof(struct iommufd_block) + npages * sizeof(u32);
}

static size_t size_of_block(const struct iommufd_block *block)
{
	return block->nr_runs ? size_of_runs(block->nr_runs) :
				size_of_pfns(iommufd_block_npages(block));
}

static struct iommufd_block *alloc_runs(unsigned int nr_runs)
{
	struct iommufd_block *block;

	block = iommufd_block_alloc(size_of_runs(nr_runs));
	if (block)
		block->nr_runs = nr_runs;
	return block;
}

static struct iommufd_block *alloc_pfns(unsigned int npages)
{
	struct iommufd_block *block;

	block = iommufd_block_alloc(size_of_pfns(npages));
	if (block)
		block->nr_runs = 0;
	return block;
}

/* Bytes that the allocator uses for a block. */
static size_t footprint(const struct iommufd_block *block)
{
	return kmalloc_size_roundup(size_of_block(block));
}

static struct iommufd_block *copy_tail_of_runs(const struct iommufd_block *block,
					       unsigned long index,
					       unsigned int at)
{
	struct iommufd_run run = iommufd_block_run(block, at);
	unsigned long offset = index - block->node.start;
	struct iommufd_block *tail;
	unsigned int i;

	tail = alloc_runs(block->nr_runs - at);
	if (!tail)
		return NULL;
	tail->runs[0] = iommufd_pack_run(0, run.pfn + (index - run.index));
	for (i = 1; i < tail->nr_runs; i++) {
		u64 packed = block->runs[at + i];
		unsigned long start = iommufd_run_start(packed) - offset;

		tail->runs[i] = iommufd_pack_run(start, iommufd_run_pfn(packed));
	}
	return tail;
}

static struct iommufd_block *copy_tail_of_pfns(const struct iommufd_block *block,
					       unsigned int at)
{
	unsigned int npages = iommufd_block_npages(block) - at;
	struct iommufd_block *tail = alloc_pfns(npages);

	if (tail)
		memcpy(iommufd_block_pfns(tail), iommufd_block_pfns(block) + at,
		       npages * sizeof(u32));
	return tail;
}

/* Copy everything but the runs and their number. */
static void copy_head(struct iommufd_block *copy,
		      const struct iommufd_block *block)
{
	copy->node.start = block->node.start;
	copy->node.last = block->node.last;
	copy->users = block->users;
	copy->charge_set = block->charge_set;
}

/*
 * Split a block at an index, which is not its first. Returns the new block with
 * the upper part. Neither block is in a tree.
 */
static struct iommufd_block *split_block(struct iommufd_block *block,
					 unsigned long index)
{
	unsigned int at = find_run(block, index);
	struct iommufd_block *tail;
	bool between;

	tail = block->nr_runs ? copy_tail_of_runs(block, index, at) :
				copy_tail_of_pfns(block, at);
	if (!tail)
		return NULL;
	copy_head(tail, block);
	tail->node.start = index;

	/* A run that does not begin at the index is split, and is in both. */
	between = block->node.start + iommufd_run_bound(block, at) == index;
	if (block->nr_runs)
		block->nr_runs = between ? at : at + 1;
	block->node.last = index - 1;
	return tail;
}

/*
 * A size class of the allocator may be up to twice as large as a block needs.
 * If that is beyond the maximum cost, split off as many runs as fill the next
 * smaller class, which is half as large. Small blocks are never beyond it.
 */
static struct iommufd_block *split_excess(struct iommufd_block *block)
{
	size_t cost = block->nr_runs ? STORE_COST_PER_PAGE : STORE_COST_PER_PFN;
	size_t each = block->nr_runs ? sizeof(u64) : sizeof(u32);
	unsigned int nr_runs = iommufd_block_nr_runs(block), nr;
	size_t size = footprint(block);

	if (size <= STORE_COST_FIXED + cost * nr_runs)
		return NULL;
	nr = (size / 2 - sizeof(*block)) / each;
	return split_block(block, block->node.start +
				  iommufd_run_bound(block, nr_runs - nr));
}

static struct iommufd_block *reallocate(struct iommufd_block *block)
{
	size_t size = size_of_block(block);
	struct iommufd_block *copy = iommufd_block_alloc(size);

	if (!copy)
		return block;
	memcpy(copy, block, size);
	kfree(block);
	return copy;
}

/* Fewer pages are not worth another allocation. */
#define FLAT_MIN_PAGES	64

/* Make a block flat if it can be, and if there is memory. */
static struct iommufd_block *flatten(struct iommufd_block *block)
{
	unsigned int i, npages = block->nr_runs;
	struct iommufd_block *flat;
	u32 *pfns;
	u64 all = 0;

	if (npages < FLAT_MIN_PAGES || npages != iommufd_block_npages(block) ||
	    iommufd_run_pfn(block->runs[0]) > U32_MAX)
		return block;
	flat = alloc_pfns(npages);
	if (!flat)
		return block;
	pfns = iommufd_block_pfns(flat);
	unrolled_count(8)
	for (i = 0; i < npages; i++) {
		all |= block->runs[i];
		pfns[i] = block->runs[i];
	}
	if (iommufd_run_pfn(all) > U32_MAX) {
		kfree(flat);
		return block;
	}
	copy_head(flat, block);
	kfree(block);
	return flat;
}

/*
 * Insert a block, for which the allocator uses @size bytes, into the tree.
 * Splits or reallocates it first if that saves memory. If that fails for lack of
 * memory, the block is inserted as it is.
 */
static void insert_fitted(struct iommufd_block *block, size_t size,
			  struct rb_root_cached *blocks)
{
	struct iommufd_block *tail;

	while ((tail = split_excess(block)))
		interval_tree_insert(&tail->node, blocks);
	if (footprint(block) < size)
		block = reallocate(block);
	interval_tree_insert(&block->node, blocks);
}

static void start(struct iommufd_block_builder *builder, unsigned long index,
		  struct iommufd_block *block, unsigned int max_runs)
{
	*builder = (struct iommufd_block_builder){
		.block = block,
		.next_pfn = ULONG_MAX,
	};
	if (!block)
		return;
	builder->max_runs = max_runs;
	block->node.start = index;
	block->users = 1;
	block->charge_set = 0;
}

/**
 * iommufd_builder_start - start a block
 * @builder: the builder
 * @index: first index of the block
 * @npages: expected number of pages, at least one. The block can take more or
 *	fewer pages, but never more runs than this
 *
 * Return: 0 or -ENOMEM, in which case no page can be added.
 */
int iommufd_builder_start(struct iommufd_block_builder *builder,
			  unsigned long index, unsigned long npages)
{
	unsigned int max_runs = min(npages, BLOCK_MAX_RUNS);
	struct iommufd_block *block = alloc_runs(max_runs);

	start(builder, index, block, max_runs);
	return block ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_builder_start);

/**
 * iommufd_builder_start_in - start a block in memory of the caller
 * @builder: the builder
 * @index: first index of the block
 * @block: memory for a block of one run. The caller must free it if
 *	iommufd_builder_enlarge() replaces it
 *
 * At least one page must be added before the block is finished.
 */
void iommufd_builder_start_in(struct iommufd_block_builder *builder,
			      unsigned long index, struct iommufd_block *block)
{
	block->nr_runs = 1;
	start(builder, index, block, 1);
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_builder_start_in);

/**
 * iommufd_builder_enlarge - move a block of one run to a larger one
 * @builder: the builder, started with iommufd_builder_start_in()
 * @npages: expected number of pages, including those that were added
 *
 * Return: 0, or -ENOMEM, in which case nothing is changed.
 */
int iommufd_builder_enlarge(struct iommufd_block_builder *builder,
			    unsigned long npages)
{
	unsigned int max_runs = min(npages, BLOCK_MAX_RUNS);
	struct iommufd_block *block = alloc_runs(max_runs);

	if (!block)
		return -ENOMEM;
	copy_head(block, builder->block);
	block->runs[0] = builder->block->runs[0];
	builder->block = block;
	builder->max_runs = max_runs;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_builder_enlarge);

/**
 * iommufd_builder_finish - finish a block and insert it
 * @builder: the builder, which can then be started again
 * @blocks: the tree of blocks. Unless the block is empty, it is inserted here
 *	with one user, possibly in several parts
 */
void iommufd_builder_finish(struct iommufd_block_builder *builder,
			    struct rb_root_cached *blocks)
{
	struct iommufd_block *block = builder->block, *flat;
	size_t size;

	builder->block = NULL;
	if (!block || !builder->nr_runs) {
		kfree(block);
		return;
	}
	block->nr_runs = builder->nr_runs;
	block->node.last = block->node.start + builder->covered - 1;
	/* It may be in memory of the caller, and does not get smaller. */
	if (builder->max_runs == 1) {
		interval_tree_insert(&block->node, blocks);
		return;
	}
	flat = flatten(block);
	size = flat == block ?
		       kmalloc_size_roundup(size_of_runs(builder->max_runs)) :
		       footprint(flat);
	insert_fitted(flat, size, blocks);
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_builder_finish);

/**
 * iommufd_block_of_page - insert a block of one page in memory of the caller
 * @block: memory for a block of one run, which the caller must free once the
 *	block is no longer in the tree
 * @blocks: the tree of blocks
 * @index: index of the page
 * @pfn: its PFN
 * @charge_set: number of the set of policies that it is charged to
 *
 * The block has one user, as one of a builder.
 */
void iommufd_block_of_page(struct iommufd_block *block,
			   struct rb_root_cached *blocks, unsigned long index,
			   unsigned long pfn, u16 charge_set)
{
	block->node.start = index;
	block->node.last = index;
	block->users = 1;
	block->nr_runs = 1;
	block->charge_set = charge_set;
	block->runs[0] = iommufd_pack_run(0, pfn);
	interval_tree_insert(&block->node, blocks);
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_block_of_page);

/**
 * iommufd_block_split - split a block so that a new one begins at an index
 * @block: the block, in @blocks. It may move and must not be used afterwards
 * @blocks: the tree of blocks
 * @index: where to split, inside the block and not at its start
 *
 * There may be more than two parts. All have the use count of the whole block.
 *
 * Return: true, or false if there is not enough memory, in which case nothing
 * is changed.
 */
bool iommufd_block_split(struct iommufd_block *block,
			 struct rb_root_cached *blocks, unsigned long index)
{
	bool smallest = block->nr_runs == 1;
	size_t size = footprint(block);
	struct iommufd_block *tail;

	interval_tree_remove(&block->node, blocks);
	tail = split_block(block, index);
	if (!tail) {
		interval_tree_insert(&block->node, blocks);
		return false;
	}
	/* As in iommufd_builder_finish(). */
	if (smallest)
		interval_tree_insert(&block->node, blocks);
	else
		insert_fitted(block, size, blocks);
	insert_fitted(tail, footprint(tail), blocks);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_block_split);
