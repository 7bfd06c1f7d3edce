/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_PAGES_STORE_H
#define __IOMMUFD_PAGES_STORE_H

#include <linux/bits.h>
#include <linux/interval_tree.h>
#include <linux/mm.h>

/*
 * The store has the PFNs of those pages of an array that are pinned: they are
 * present. It keeps them as runs, each of which has consecutive indices and
 * consecutive PFNs. Runs take 8 bytes each and are packed into blocks. A block
 * covers an interval of the array and has a use count. Blocks don't overlap.
 *
 * A run is one u64: its start, in pages from the start of its block, and its
 * first PFN. It ends where the next one starts, or at the end of the block. A
 * PFN has 40 bits: 52 bits of physical address with 4 KiB pages.
 *
 * A block in which each page is a run of its own does not need their starts. If
 * its PFNs have at most 32 bits, which is 16 TiB of memory with 4 KiB pages, it
 * has a PFN of 4 bytes for each page instead of runs: it is flat.
 */
#define RUN_PFN_BITS	40
#define RUN_PFN_MASK	((1ULL << RUN_PFN_BITS) - 1)
#define RUN_START_BITS	(64 - RUN_PFN_BITS)
#define BLOCK_MAX_PAGES	BIT(RUN_START_BITS)

/**
 * struct iommufd_block - pages that are present together
 * @node: the interval of indices
 * @users: number of users
 * @nr_runs: number of entries in @runs; 0 if the block is flat
 * @charge_set: number of the set of policies that the pages are charged to, 0
 *	for none
 * @runs: the runs, by ascending start; the PFNs if the block is flat, see
 *	iommufd_block_pfns()
 */
struct iommufd_block {
	struct interval_tree_node node;
	unsigned int users;
	u16 nr_runs;
	u16 charge_set;
	u64 runs[] __counted_by(nr_runs);
};

/* A full block fits into a page, and into half of one if it is flat. */
#define BLOCK_MAX_RUNS \
	((2048 - sizeof(struct iommufd_block)) / sizeof(u32))

/*
 * Maximum memory cost of a range of pages that is added at once, and of each
 * part of a split, even if no two PFNs are consecutive: a fixed number of
 * bytes, and a number of bytes per page, or per page of flat blocks.
 */
#define STORE_COST_FIXED	128
#define STORE_COST_PER_PAGE	10
#define STORE_COST_PER_PFN	5

/**
 * struct iommufd_run - consecutive indices with consecutive PFNs
 * @index: first index
 * @pfn: its PFN
 * @npages: number of pages
 */
struct iommufd_run {
	unsigned long index;
	unsigned long pfn;
	unsigned long npages;
};

/* The packing of a run. Functions that are called for each run are inline. */

static inline unsigned long iommufd_run_start(u64 run)
{
	return run >> RUN_PFN_BITS;
}

static inline unsigned long iommufd_run_pfn(u64 run)
{
	return run & RUN_PFN_MASK;
}

static inline u64 iommufd_pack_run(unsigned long start, unsigned long pfn)
{
	return (u64)start << RUN_PFN_BITS | pfn;
}

static inline unsigned long
iommufd_block_npages(const struct iommufd_block *block)
{
	return block->node.last - block->node.start + 1;
}

/* The PFNs of a flat block. */
static inline u32 *iommufd_block_pfns(const struct iommufd_block *block)
{
	return (u32 *)((char *)block + offsetof(struct iommufd_block, runs));
}

static inline unsigned int
iommufd_block_nr_runs(const struct iommufd_block *block)
{
	return block->nr_runs ?: iommufd_block_npages(block);
}

/* First PFN of run @i in the block. */
static inline unsigned long
iommufd_block_pfn(const struct iommufd_block *block, unsigned int i)
{
	return block->nr_runs ? iommufd_run_pfn(block->runs[i]) :
				iommufd_block_pfns(block)[i];
}

/* Start of run @i in the block; after the last run, the end of the block. */
static inline unsigned long
iommufd_run_bound(const struct iommufd_block *block, unsigned int i)
{
	if (!block->nr_runs)
		return i;
	return i == block->nr_runs ? iommufd_block_npages(block) :
				     iommufd_run_start(block->runs[i]);
}

/**
 * iommufd_block_run - unpack a run
 * @block: the block
 * @i: number of the run
 *
 * Return: the run.
 */
static inline struct iommufd_run
iommufd_block_run(const struct iommufd_block *block, unsigned int i)
{
	unsigned long start = iommufd_run_bound(block, i);

	return (struct iommufd_run){
		.index = block->node.start + start,
		.pfn = iommufd_block_pfn(block, i),
		.npages = iommufd_run_bound(block, i + 1) - start,
	};
}

/**
 * iommufd_sole_block - get the block if there is just one
 * @blocks: the tree of blocks
 *
 * Contiguous memory of a single request has one block. Takes less than a search
 * of the tree.
 *
 * Return: the block, or NULL if the tree is empty or has several blocks.
 */
static inline struct iommufd_block *
iommufd_sole_block(const struct rb_root_cached *blocks)
{
	const struct rb_node *root = blocks->rb_root.rb_node;

	if (!root || root->rb_left || root->rb_right)
		return NULL;
	return container_of(root, struct iommufd_block, node.rb);
}

/**
 * struct iommufd_run_iter - iterator over the runs in an interval of indices
 * @run: the current run, clipped to the interval
 * @block: private: its block
 * @i: private: its number in the block
 * @last: private: last index of the interval
 */
struct iommufd_run_iter {
	struct iommufd_run run;
	struct iommufd_block *block;
	unsigned int i;
	unsigned long last;
};

bool iommufd_run_first(struct iommufd_run_iter *iter,
		       struct rb_root_cached *blocks, unsigned long first,
		       unsigned long last);
bool iommufd_run_next_block(struct iommufd_run_iter *iter);

/* Clip the current run. 0..ULONG_MAX would have a length of 0, so avoid it. */
static inline void iommufd_run_clamp(struct iommufd_run_iter *iter)
{
	iter->run.npages = min(iter->run.npages - 1,
			       iter->last - iter->run.index) + 1;
}

/**
 * iommufd_run_next - go to the next run
 * @iter: the iterator
 *
 * Return: true if there is a next run in the interval.
 */
static inline bool iommufd_run_next(struct iommufd_run_iter *iter)
{
	if (++iter->i == iommufd_block_nr_runs(iter->block))
		return iommufd_run_next_block(iter);
	iter->run = iommufd_block_run(iter->block, iter->i);
	if (iter->run.index > iter->last)
		return false;
	iommufd_run_clamp(iter);
	return true;
}

#define iommufd_for_each_run(iter, blocks, first, last)                   \
	for (bool __more = iommufd_run_first(iter, blocks, first, last);  \
	     __more; __more = iommufd_run_next(iter))

/**
 * struct iommufd_block_builder - collects pages into a block
 * @block: the block under construction, or NULL. Its number of runs and its
 *	last index are set when it is finished
 * @next_pfn: PFN that would continue the last run
 * @covered: number of pages so far
 * @nr_runs: number of runs so far
 * @max_runs: number of runs that @block has room for
 */
struct iommufd_block_builder {
	struct iommufd_block *block;
	unsigned long next_pfn;
	unsigned long covered;
	unsigned int nr_runs;
	unsigned int max_runs;
};

/*
 * Whether the struct page of a PFN may not follow the struct page of the
 * previous PFN. This ends a run, as runs are walked by struct page when they
 * are unpinned. The memory map may be allocated by section; a folio never
 * crosses sections in that case.
 */
static inline bool iommufd_memmap_breaks(unsigned long pfn)
{
#if defined(CONFIG_SPARSEMEM) && !defined(CONFIG_SPARSEMEM_VMEMMAP)
	return IS_ALIGNED(pfn, PAGES_PER_SECTION);
#else
	return false;
#endif
}

int iommufd_builder_start(struct iommufd_block_builder *builder,
			  unsigned long index, unsigned long npages);
void iommufd_builder_start_in(struct iommufd_block_builder *builder,
			      unsigned long index, struct iommufd_block *block);
int iommufd_builder_enlarge(struct iommufd_block_builder *builder,
			    unsigned long npages);
void iommufd_builder_finish(struct iommufd_block_builder *builder,
			    struct rb_root_cached *blocks);

/**
 * iommufd_builder_add - add pages to a block
 * @builder: the builder, started
 * @pfn: first of consecutive PFNs, whose struct pages are consecutive too
 * @npages: number of pages, at most BLOCK_MAX_PAGES
 *
 * Return: false if the block is full. The caller must then finish it and start
 * another.
 */
static inline bool iommufd_builder_add(struct iommufd_block_builder *builder,
				       unsigned long pfn, unsigned long npages)
{
	if (npages > BLOCK_MAX_PAGES - builder->covered)
		return false;
	if (pfn != builder->next_pfn || iommufd_memmap_breaks(pfn)) {
		if (builder->nr_runs == builder->max_runs)
			return false;
		builder->block->runs[builder->nr_runs++] =
			iommufd_pack_run(builder->covered, pfn);
	}
	builder->next_pfn = pfn + npages;
	builder->covered += npages;
	return true;
}

void iommufd_block_of_page(struct iommufd_block *block,
			   struct rb_root_cached *blocks, unsigned long index,
			   unsigned long pfn, u16 charge_set);
bool iommufd_block_split(struct iommufd_block *block,
			 struct rb_root_cached *blocks, unsigned long index);

#if IS_ENABLED(CONFIG_KUNIT)
struct iommufd_block *iommufd_block_alloc(size_t size);
#endif

#endif
