// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of consecutive PFNs, packed into blocks. This is a plain data structure:
 * pages/pages.c pins the pages and provides locking.
 */
#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/slab.h>

#include "pages/store.h"

/* Number of the run that contains an index of the block. */
static unsigned int find_run(const struct iommufd_block *block,
			     unsigned long index)
{
	unsigned long offset = index - block->node.start;
	unsigned int low = 0, high = block->nr_runs;

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
VISIBLE_IF_KUNIT struct iommufd_block *iommufd_block_alloc(unsigned int nr_runs)
{
	struct iommufd_block *block;

	KUNIT_STATIC_STUB_REDIRECT(iommufd_block_alloc, nr_runs);

	block = kmalloc(struct_size(block, runs, nr_runs),
			GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (block)
		block->nr_runs = nr_runs;
	return block;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_block_alloc);

/* Bytes that the allocator uses for a block of @nr_runs runs. */
static size_t footprint(unsigned int nr_runs)
{
	return kmalloc_size_roundup(struct_size_t(struct iommufd_block, runs,
						  nr_runs));
}

/*
 * Split a block at an index, which is not its first. Returns the new block with
 * the upper part. Neither block is in a tree.
 */
static struct iommufd_block *split_block(struct iommufd_block *block,
					 unsigned long index)
{
	unsigned int i, at = find_run(block, index);
	struct iommufd_run run = iommufd_block_run(block, at);
	unsigned long offset = index - block->node.start;
	struct iommufd_block *tail;

	tail = iommufd_block_alloc(block->nr_runs - at);
	if (!tail)
		return NULL;
	tail->node.start = index;
	tail->node.last = block->node.last;
	tail->users = block->users;
	tail->charge_set = block->charge_set;
	tail->runs[0] = iommufd_pack_run(0, run.pfn + (index - run.index));
	for (i = 1; i < tail->nr_runs; i++) {
		u64 packed = block->runs[at + i];
		unsigned long start = iommufd_run_start(packed) - offset;

		tail->runs[i] = iommufd_pack_run(start, iommufd_run_pfn(packed));
	}

	block->node.last = index - 1;
	/* The run that is split is in both, unless it begins at the index. */
	block->nr_runs = run.index == index ? at : at + 1;
	return tail;
}

/*
 * A size class of the allocator may be up to twice as large as a block needs.
 * If that is beyond the maximum cost, split off as many runs as fill the next
 * smaller class, which is half as large. Small blocks are never beyond it.
 */
static struct iommufd_block *split_excess(struct iommufd_block *block)
{
	size_t size = footprint(block->nr_runs);
	unsigned int nr_runs;

	if (size <= STORE_COST_FIXED + STORE_COST_PER_PAGE * block->nr_runs)
		return NULL;
	nr_runs = (size / 2 - sizeof(*block)) / sizeof(block->runs[0]);
	return split_block(block, block->node.start +
				  iommufd_run_bound(block, block->nr_runs - nr_runs));
}

static struct iommufd_block *reallocate(struct iommufd_block *block)
{
	struct iommufd_block *copy = iommufd_block_alloc(block->nr_runs);

	if (!copy)
		return block;
	memcpy(copy, block, struct_size(block, runs, block->nr_runs));
	kfree(block);
	return copy;
}

/*
 * Insert a block that was allocated for @max_runs into the tree. Splits or
 * reallocates it first if that saves memory. If that fails for lack of memory,
 * the block is inserted as it is.
 */
static void insert_fitted(struct iommufd_block *block, unsigned int max_runs,
			  struct rb_root_cached *blocks)
{
	struct iommufd_block *tail;

	/* There is no smaller one. */
	if (max_runs == 1)
		goto insert;
	while ((tail = split_excess(block)))
		interval_tree_insert(&tail->node, blocks);
	if (block->nr_runs < max_runs &&
	    footprint(block->nr_runs) < footprint(max_runs))
		block = reallocate(block);
insert:
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
	struct iommufd_block *block = iommufd_block_alloc(max_runs);

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
	struct iommufd_block *block = iommufd_block_alloc(max_runs);

	if (!block)
		return -ENOMEM;
	block->node.start = builder->block->node.start;
	block->users = builder->block->users;
	block->charge_set = builder->block->charge_set;
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
	struct iommufd_block *block = builder->block;

	builder->block = NULL;
	if (!block || !builder->nr_runs) {
		kfree(block);
		return;
	}
	block->nr_runs = builder->nr_runs;
	block->node.last = block->node.start + builder->covered - 1;
	insert_fitted(block, builder->max_runs, blocks);
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
	unsigned int max_runs = block->nr_runs;
	struct iommufd_block *tail;

	interval_tree_remove(&block->node, blocks);
	tail = split_block(block, index);
	if (!tail) {
		interval_tree_insert(&block->node, blocks);
		return false;
	}
	insert_fitted(block, max_runs, blocks);
	insert_fitted(tail, tail->nr_runs, blocks);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_block_split);
