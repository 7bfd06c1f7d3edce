// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of consecutive PFNs, packed into blocks. A plain data structure: who
 * pins what it holds and who serialises is the business of pages/pages.c.
 */
#include <kunit/visibility.h>
#include <linux/slab.h>

#include "pages/store.h"

static unsigned long run_start(u64 run)
{
	return run >> RUN_PFN_BITS;
}

static unsigned long run_pfn(u64 run)
{
	return run & RUN_PFN_MASK;
}

static u64 pack_run(unsigned long start, unsigned long pfn)
{
	return (u64)start << RUN_PFN_BITS | pfn;
}

static unsigned long block_npages(const struct iommufd_block *block)
{
	return block->node.last - block->node.start + 1;
}

/* Where run @i starts; one more than the number of runs is the block's end. */
static unsigned long run_bound(const struct iommufd_block *block,
			       unsigned int i)
{
	return i == block->nr_runs ? block_npages(block) :
				     run_start(block->runs[i]);
}

/**
 * iommufd_block_run - unpack a run
 * @block: the block
 * @i: number of the run
 */
struct iommufd_run iommufd_block_run(const struct iommufd_block *block,
				     unsigned int i)
{
	unsigned long start = run_bound(block, i);

	return (struct iommufd_run){
		.index = block->node.start + start,
		.pfn = run_pfn(block->runs[i]),
		.npages = run_bound(block, i + 1) - start,
	};
}

/* Number of the run that covers an index of the block. */
static unsigned int find_run(const struct iommufd_block *block,
			     unsigned long index)
{
	unsigned long offset = index - block->node.start;
	unsigned int low = 0, high = block->nr_runs;

	while (high - low > 1) {
		unsigned int mid = (low + high) / 2;

		if (run_start(block->runs[mid]) <= offset)
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

static void cut_last(struct iommufd_run_iter *iter)
{
	iter->run.npages = min(iter->run.npages,
			       iter->last - iter->run.index + 1);
}

/**
 * iommufd_run_first - first run in an interval
 * @iter: the iterator
 * @blocks: blocks, which must not change while it is used
 * @first: first index of the interval
 * @last: last index of the interval
 *
 * Returns false if there is none.
 */
bool iommufd_run_first(struct iommufd_run_iter *iter,
		       struct rb_root_cached *blocks, unsigned long first,
		       unsigned long last)
{
	unsigned long skip;

	iter->last = last;
	iter->block = to_block(interval_tree_iter_first(blocks, first, last));
	if (!iter->block)
		return false;
	first = max(first, iter->block->node.start);
	iter->i = find_run(iter->block, first);
	iter->run = iommufd_block_run(iter->block, iter->i);

	skip = first - iter->run.index;
	iter->run.index += skip;
	iter->run.pfn += skip;
	iter->run.npages -= skip;
	cut_last(iter);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_run_first);

/**
 * iommufd_run_next - the next run
 * @iter: the iterator
 *
 * Returns false if there is none.
 */
bool iommufd_run_next(struct iommufd_run_iter *iter)
{
	struct interval_tree_node *node = &iter->block->node;

	if (++iter->i == iter->block->nr_runs) {
		node = interval_tree_iter_next(node, node->start, iter->last);
		iter->block = to_block(node);
		if (!iter->block)
			return false;
		iter->i = 0;
	}
	iter->run = iommufd_block_run(iter->block, iter->i);
	if (iter->run.index > iter->last)
		return false;
	cut_last(iter);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_run_next);

static struct iommufd_block *alloc_block(unsigned int nr_runs)
{
	struct iommufd_block *block;

	block = kmalloc(struct_size(block, runs, nr_runs), GFP_KERNEL_ACCOUNT);
	if (block)
		block->nr_runs = nr_runs;
	return block;
}

/**
 * iommufd_builder_start - begin a block
 * @builder: the builder
 * @index: first index that it will cover
 *
 * Returns 0 or -ENOMEM.
 */
int iommufd_builder_start(struct iommufd_block_builder *builder,
			  unsigned long index)
{
	builder->block = alloc_block(BLOCK_MAX_RUNS);
	if (!builder->block)
		return -ENOMEM;
	builder->block->node.start = index;
	builder->block->node.last = index - 1;
	builder->block->users = 0;
	builder->block->nr_runs = 0;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_builder_start);

/**
 * iommufd_builder_add - add pages to a block
 * @builder: the builder, started
 * @pfn: first of consecutive PFNs
 * @npages: number of pages, less than BLOCK_MAX_PAGES
 *
 * Returns false if the block is full: finish it and start another.
 */
bool iommufd_builder_add(struct iommufd_block_builder *builder,
			 unsigned long pfn, unsigned long npages)
{
	struct iommufd_block *block = builder->block;
	unsigned long covered = block_npages(block);

	if (npages > BLOCK_MAX_PAGES - covered)
		return false;
	if (!block->nr_runs || pfn != builder->next_pfn) {
		if (block->nr_runs == BLOCK_MAX_RUNS)
			return false;
		block->nr_runs++;
		block->runs[block->nr_runs - 1] = pack_run(covered, pfn);
	}
	builder->next_pfn = pfn + npages;
	block->node.last += npages;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_builder_add);

/**
 * iommufd_builder_finish - end a block
 * @builder: the builder; it can be started again
 *
 * Returns the block, no larger than it needs to be, or NULL if it is empty.
 */
struct iommufd_block *
iommufd_builder_finish(struct iommufd_block_builder *builder)
{
	struct iommufd_block *block = builder->block, *small;
	size_t size;

	builder->block = NULL;
	if (!block)
		return NULL;
	if (!block->nr_runs) {
		kfree(block);
		return NULL;
	}
	size = struct_size(block, runs, block->nr_runs);
	if (kmalloc_size_roundup(size) < 4096) {
		/* A copy that can't be had is no harm: the original serves. */
		small = kmemdup(block, size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (small) {
			kfree(block);
			block = small;
		}
	}
	return block;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_builder_finish);

/**
 * iommufd_block_split - split a block so that a new one begins at an index
 * @block: the block, linked into @blocks
 * @blocks: the tree of blocks
 * @index: where to split, inside the block and not at its start
 *
 * Both parts have the users that the whole had.
 *
 * Returns the second part, linked, or NULL if memory is short.
 */
struct iommufd_block *iommufd_block_split(struct iommufd_block *block,
					  struct rb_root_cached *blocks,
					  unsigned long index)
{
	unsigned int i, at = find_run(block, index);
	struct iommufd_run run = iommufd_block_run(block, at);
	unsigned long offset = index - block->node.start;
	struct iommufd_block *tail;

	tail = alloc_block(block->nr_runs - at);
	if (!tail)
		return NULL;
	tail->node.start = index;
	tail->node.last = block->node.last;
	tail->users = block->users;
	tail->runs[0] = pack_run(0, run.pfn + (index - run.index));
	for (i = 1; i < tail->nr_runs; i++) {
		u64 packed = block->runs[at + i];

		tail->runs[i] = pack_run(run_start(packed) - offset,
					 run_pfn(packed));
	}

	interval_tree_remove(&block->node, blocks);
	block->node.last = index - 1;
	/* The run that is cut stays in both unless it begins at the index. */
	block->nr_runs = run.index == index ? at : at + 1;
	interval_tree_insert(&block->node, blocks);
	interval_tree_insert(&tail->node, blocks);
	return tail;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_block_split);
