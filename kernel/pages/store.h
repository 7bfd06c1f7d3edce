/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_PAGES_STORE_H
#define __IOMMUFD_PAGES_STORE_H

#include <linux/bits.h>
#include <linux/interval_tree.h>
#include <linux/mm.h>

/*
 * The store keeps the PFNs of an array of pages, of which any part may be
 * present. What is present is kept as runs: so many pages from this index on
 * have consecutive PFNs. Runs are packed, 8 bytes each, into blocks; a block
 * covers an interval of the array and knows how many users it has. Blocks don't
 * overlap.
 *
 * A run is one u64: where it starts, in pages from the start of its block, and
 * its first PFN. It ends where the next one starts, or with the block. A PFN
 * has 40 bits: 52 bits of physical address with 4 KiB pages.
 */
#define RUN_PFN_BITS	40
#define RUN_PFN_MASK	((1ULL << RUN_PFN_BITS) - 1)
#define RUN_START_BITS	(64 - RUN_PFN_BITS)
#define BLOCK_MAX_PAGES	BIT(RUN_START_BITS)

/**
 * struct iommufd_block - pages that are present together
 * @node: the indices that it covers
 * @users: how often they are used
 * @nr_runs: runs that follow
 * @runs: the runs, by ascending start
 */
struct iommufd_block {
	struct interval_tree_node node;
	unsigned int users;
	unsigned int nr_runs;
	u64 runs[] __counted_by(nr_runs);
};

/* A full block fills a page. */
#define BLOCK_MAX_RUNS \
	((4096 - sizeof(struct iommufd_block)) / sizeof(u64))

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

struct iommufd_run iommufd_block_run(const struct iommufd_block *block,
				     unsigned int i);

/**
 * struct iommufd_run_iter - walk over the runs in an interval of indices
 * @run: the current run, cut to the interval
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
bool iommufd_run_next(struct iommufd_run_iter *iter);

#define iommufd_for_each_run(iter, blocks, first, last)                   \
	for (bool __more = iommufd_run_first(iter, blocks, first, last);  \
	     __more; __more = iommufd_run_next(iter))

/**
 * struct iommufd_block_builder - collects pages into a block
 * @block: the block under construction, with room for BLOCK_MAX_RUNS, or NULL
 * @next_pfn: PFN that would continue the last run
 */
struct iommufd_block_builder {
	struct iommufd_block *block;
	unsigned long next_pfn;
};

int iommufd_builder_start(struct iommufd_block_builder *builder,
			  unsigned long index);
bool iommufd_builder_add(struct iommufd_block_builder *builder,
			 unsigned long pfn, unsigned long npages);
struct iommufd_block *
iommufd_builder_finish(struct iommufd_block_builder *builder);

struct iommufd_block *iommufd_block_split(struct iommufd_block *block,
					  struct rb_root_cached *blocks,
					  unsigned long index);

#endif
