// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the runs and blocks of the pages store, without pages.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "pages/pages.h"
#include "pages/store.h"

struct expected_run {
	unsigned long index, pfn, npages;
};

static struct iommufd_block *block_at(struct rb_root_cached *blocks,
				      unsigned long index)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(blocks, index, index);
	return node ? container_of(node, struct iommufd_block, node) : NULL;
}

/* Build one block from @runs and return it. */
static struct iommufd_block *build(struct kunit *test,
				   struct rb_root_cached *blocks,
				   unsigned long index,
				   const struct expected_run *runs, int n)
{
	struct iommufd_block_builder builder;
	struct iommufd_block *block;
	unsigned long npages = 0;
	int i;

	for (i = 0; i < n; i++)
		npages += runs[i].npages;
	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, index, npages),
			0);
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_TRUE(test, iommufd_builder_add(&builder,
							    runs[i].pfn,
							    runs[i].npages));
	iommufd_builder_finish(&builder, blocks);
	block = block_at(blocks, index);
	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_EXPECT_EQ(test, block->users, 1);
	return block;
}

/* Added to scattered PFNs: blocks are not flat if it has more than 32 bits. */
static unsigned long scattered_from;

/* PFNs of which no two are consecutive. */
static unsigned long scattered_pfn(unsigned long index)
{
	return (scattered_from + 2 * index + 1) & RUN_PFN_MASK;
}

static void build_scattered(struct kunit *test, struct rb_root_cached *blocks,
			    unsigned long index, unsigned long npages)
{
	unsigned long last = index + npages - 1;
	struct iommufd_block_builder builder = {};

	for (; index <= last; index++) {
		unsigned long pfn = scattered_pfn(index);

		if (builder.block && iommufd_builder_add(&builder, pfn, 1))
			continue;
		iommufd_builder_finish(&builder, blocks);
		KUNIT_ASSERT_EQ(test,
				iommufd_builder_start(&builder, index,
						      last - index + 1),
				0);
		KUNIT_ASSERT_TRUE(test, iommufd_builder_add(&builder, pfn, 1));
	}
	iommufd_builder_finish(&builder, blocks);
}

static void expect_scattered(struct kunit *test, struct rb_root_cached *blocks,
			     unsigned long index, unsigned long npages)
{
	unsigned long last = index + npages - 1;
	struct iommufd_run_iter iter;

	iommufd_for_each_run(&iter, blocks, 0, ULONG_MAX) {
		KUNIT_ASSERT_EQ(test, iter.run.index, index);
		KUNIT_ASSERT_EQ(test, iter.run.pfn, scattered_pfn(index));
		KUNIT_ASSERT_EQ(test, iter.run.npages, 1);
		index++;
	}
	KUNIT_EXPECT_EQ(test, index, last + 1);
}

/* Returns the memory used by the blocks, and sets their number. */
static size_t memory_of(struct rb_root_cached *blocks, unsigned int *nr_blocks)
{
	struct interval_tree_node *node;
	size_t bytes = 0;

	*nr_blocks = 0;
	for (node = interval_tree_iter_first(blocks, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		bytes += ksize(container_of(node, struct iommufd_block, node));
		(*nr_blocks)++;
	}
	return bytes;
}

static void expect_bound(struct kunit *test, struct rb_root_cached *blocks,
			 unsigned long npages, unsigned int nr_parts)
{
	unsigned int nr_blocks;

	KUNIT_ASSERT_LE_MSG(test, memory_of(blocks, &nr_blocks),
			    STORE_COST_PER_PAGE * npages +
				    STORE_COST_FIXED * nr_parts,
			    "%lu pages in %u blocks, %u parts", npages,
			    nr_blocks, nr_parts);
}

/* Number of allocations that succeed before all fail. */
static int allocs_left;

static struct iommufd_block *limited_alloc(size_t size)
{
	if (!allocs_left)
		return NULL;
	allocs_left--;
	return kmalloc(size, GFP_KERNEL);
}

static void limit_allocs(struct kunit *test, int n)
{
	allocs_left = n;
	kunit_activate_static_stub(test, iommufd_block_alloc, limited_alloc);
}

static void unlimit_allocs(struct kunit *test)
{
	kunit_deactivate_static_stub(test, iommufd_block_alloc);
}

static void expect_runs(struct kunit *test, struct rb_root_cached *blocks,
			unsigned long first, unsigned long last,
			const struct expected_run *runs, int n)
{
	struct iommufd_run_iter iter;
	int i = 0;

	iommufd_for_each_run(&iter, blocks, first, last) {
		KUNIT_ASSERT_LT(test, i, n);
		KUNIT_EXPECT_EQ(test, iter.run.index, runs[i].index);
		KUNIT_EXPECT_EQ(test, iter.run.pfn, runs[i].pfn);
		KUNIT_EXPECT_EQ(test, iter.run.npages, runs[i].npages);
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, n);
}

static void free_blocks(struct rb_root_cached *blocks)
{
	struct interval_tree_node *node;

	while ((node = interval_tree_iter_first(blocks, 0, ULONG_MAX))) {
		interval_tree_remove(node, blocks);
		kfree(container_of(node, struct iommufd_block, node));
	}
}

static void store_runs_join(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block *block;

	block = build(test, &blocks, 10, (struct expected_run[]){
		{ .pfn = 100, .npages = 2 },
		{ .pfn = 102, .npages = 3 },
		{ .pfn = 50, .npages = 1 },
	}, 3);
	KUNIT_EXPECT_EQ(test, block->nr_runs, 2);
	KUNIT_EXPECT_EQ(test, block->node.last, 15);
	expect_runs(test, &blocks, 0, ULONG_MAX, (struct expected_run[]){
		{ 10, 100, 5 }, { 15, 50, 1 },
	}, 2);
	free_blocks(&blocks);
}

/* Without sections, no boundary matters. */
#ifdef CONFIG_SPARSEMEM
#define SECTION	PAGES_PER_SECTION
#else
#define SECTION	BIT(15)
#endif

/* A run must not cross sections whose struct pages are not consecutive. */
static void store_runs_of_sections(struct kunit *test)
{
	bool apart = IS_ENABLED(CONFIG_SPARSEMEM) &&
		     !IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP);
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block *block;

	block = build(test, &blocks, 0, (struct expected_run[]){
		{ .pfn = SECTION - 2, .npages = 1 },
		{ .pfn = SECTION - 1, .npages = 1 },
		{ .pfn = SECTION, .npages = 1 },
		{ .pfn = SECTION + 1, .npages = 1 },
	}, 4);
	KUNIT_EXPECT_EQ(test, block->nr_runs, apart ? 2 : 1);
	free_blocks(&blocks);
}

static void store_cut_to_interval(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;

	build(test, &blocks, 0, (struct expected_run[]){
		{ .pfn = 100, .npages = 8 }, { .pfn = 200, .npages = 8 },
	}, 2);
	build(test, &blocks, 16, (struct expected_run[]){
		{ .pfn = 300, .npages = 8 },
	}, 1);
	expect_runs(test, &blocks, 3, 3, (struct expected_run[]){
		{ 3, 103, 1 },
	}, 1);
	expect_runs(test, &blocks, 6, 17, (struct expected_run[]){
		{ 6, 106, 2 }, { 8, 200, 8 }, { 16, 300, 2 },
	}, 3);
	expect_runs(test, &blocks, 8, 15, (struct expected_run[]){
		{ 8, 200, 8 },
	}, 1);
	expect_runs(test, &blocks, 24, ULONG_MAX, NULL, 0);
	free_blocks(&blocks);
}

static void store_split(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block *block;

	block = build(test, &blocks, 1000, (struct expected_run[]){
		{ .pfn = 100, .npages = 8 }, { .pfn = 200, .npages = 8 },
	}, 2);
	block->users = 3;

	/* In the middle of a run, which is then in both parts. */
	KUNIT_ASSERT_TRUE(test, iommufd_block_split(block, &blocks, 1003));
	block = block_at(&blocks, 1002);
	KUNIT_EXPECT_EQ(test, block->nr_runs, 1);
	KUNIT_EXPECT_EQ(test, block->users, 3);
	KUNIT_EXPECT_EQ(test, block->node.last, 1002);
	block = block_at(&blocks, 1003);
	KUNIT_EXPECT_EQ(test, block->nr_runs, 2);
	KUNIT_EXPECT_EQ(test, block->users, 3);
	KUNIT_EXPECT_EQ(test, block->node.last, 1015);

	/* Between two runs. */
	KUNIT_ASSERT_TRUE(test, iommufd_block_split(block, &blocks, 1008));
	KUNIT_EXPECT_EQ(test, block_at(&blocks, 1007)->nr_runs, 1);
	KUNIT_EXPECT_EQ(test, block_at(&blocks, 1008)->nr_runs, 1);

	expect_runs(test, &blocks, 0, ULONG_MAX, (struct expected_run[]){
		{ 1000, 100, 3 }, { 1003, 103, 5 }, { 1008, 200, 8 },
	}, 3);
	free_blocks(&blocks);
}

static void store_block_full(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block_builder builder;
	struct iommufd_block *block;
	unsigned long i;

	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, 0, ULONG_MAX), 0);
	for (i = 0; i < BLOCK_MAX_RUNS; i++)
		KUNIT_ASSERT_TRUE(test,
				  iommufd_builder_add(&builder, 2 * i, 1));
	KUNIT_EXPECT_FALSE(test, iommufd_builder_add(&builder, 2 * i, 1));
	/* A page that continues the last run always fits. */
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 2 * i - 1, 1));
	iommufd_builder_finish(&builder, &blocks);
	block = block_at(&blocks, 0);
	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_EXPECT_EQ(test, block->nr_runs, BLOCK_MAX_RUNS);
	KUNIT_EXPECT_EQ(test, block->node.last, BLOCK_MAX_RUNS);
	KUNIT_EXPECT_EQ(test, ksize(block), 4096);
	free_blocks(&blocks);

	/* A builder without pages inserts no block. */
	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, 0, 1), 0);
	iommufd_builder_finish(&builder, &blocks);
	iommufd_builder_finish(&builder, &blocks);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&blocks.rb_root));
}

/* A block may take more pages than expected, but not more runs. */
static void store_more_than_told(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block_builder builder;

	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, 0, 2), 0);
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 10, 4));
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 20, 4));
	KUNIT_EXPECT_FALSE(test, iommufd_builder_add(&builder, 30, 4));
	iommufd_builder_finish(&builder, &blocks);
	expect_runs(test, &blocks, 0, ULONG_MAX, (struct expected_run[]){
		{ 0, 10, 4 }, { 4, 20, 4 },
	}, 2);
	free_blocks(&blocks);
}

/* A block of one run in memory of the caller, which other runs move out of it. */
static void store_block_of_caller(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block_builder builder;
	struct iommufd_block *own;

	own = kunit_kzalloc(test, struct_size(own, runs, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, own);

	iommufd_builder_start_in(&builder, 5, own);
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 10, 3));
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 13, 1));
	iommufd_builder_finish(&builder, &blocks);
	KUNIT_EXPECT_PTR_EQ(test, block_at(&blocks, 8), own);
	KUNIT_EXPECT_EQ(test, own->users, 1);

	/* A split allocates the second part and leaves the first in place. */
	KUNIT_ASSERT_TRUE(test, iommufd_block_split(own, &blocks, 7));
	KUNIT_EXPECT_PTR_EQ(test, block_at(&blocks, 6), own);
	expect_runs(test, &blocks, 0, ULONG_MAX, (struct expected_run[]){
		{ 5, 10, 2 }, { 7, 12, 2 },
	}, 2);
	interval_tree_remove(&own->node, &blocks);
	free_blocks(&blocks);

	iommufd_block_of_page(own, &blocks, 5, 10, 3);
	KUNIT_EXPECT_PTR_EQ(test, block_at(&blocks, 5), own);
	KUNIT_EXPECT_EQ(test, own->users, 1);
	KUNIT_EXPECT_EQ(test, own->charge_set, 3);
	expect_runs(test, &blocks, 0, ULONG_MAX, (struct expected_run[]){
		{ 5, 10, 1 },
	}, 1);
	interval_tree_remove(&own->node, &blocks);

	iommufd_builder_start_in(&builder, 5, own);
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 10, 3));
	KUNIT_EXPECT_FALSE(test, iommufd_builder_add(&builder, 20, 1));
	KUNIT_ASSERT_EQ(test, iommufd_builder_enlarge(&builder, 5), 0);
	KUNIT_EXPECT_PTR_NE(test, builder.block, own);
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 20, 1));
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 30, 1));
	iommufd_builder_finish(&builder, &blocks);
	expect_runs(test, &blocks, 0, ULONG_MAX, (struct expected_run[]){
		{ 5, 10, 3 }, { 8, 20, 1 }, { 9, 30, 1 },
	}, 3);
	free_blocks(&blocks);
}

/* A run may be as long as a block. */
static void store_longest_run(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block_builder builder;
	unsigned long max = BLOCK_MAX_PAGES, pfn = 1;

	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, 0, 2 * max), 0);
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, pfn, max));
	KUNIT_EXPECT_FALSE(test, iommufd_builder_add(&builder, pfn + max, 1));
	iommufd_builder_finish(&builder, &blocks);

	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, max, max), 0);
	KUNIT_EXPECT_TRUE(test,
			  iommufd_builder_add(&builder, pfn + max, max - 1));
	KUNIT_EXPECT_FALSE(test, iommufd_builder_add(&builder, 0, 2));
	/* This run starts at the highest possible offset. */
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 0, 1));
	iommufd_builder_finish(&builder, &blocks);

	KUNIT_ASSERT_TRUE(test,
			  iommufd_block_split(block_at(&blocks, max - 1),
					      &blocks, max - 1));
	expect_runs(test, &blocks, 0, ULONG_MAX, (struct expected_run[]){
		{ 0, pfn, max - 1 }, { max - 1, pfn + max - 1, 1 },
		{ max, pfn + max, max - 1 }, { 2 * max - 1, 0, 1 },
	}, 4);
	free_blocks(&blocks);
}

static void store_large_numbers(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	unsigned long index = 1UL << 40, pfn = RUN_PFN_MASK - 1;
	struct iommufd_block *block;

	/* Indices on both sides of 2^40. */
	block = build(test, &blocks, index - 2, (struct expected_run[]){
		{ .pfn = pfn - 2, .npages = 4 }, { .pfn = 5, .npages = 1 },
	}, 2);
	build(test, &blocks, 0, (struct expected_run[]){
		{ .pfn = 7, .npages = 1 },
	}, 1);
	KUNIT_ASSERT_TRUE(test, iommufd_block_split(block, &blocks, index));
	expect_runs(test, &blocks, 1, ULONG_MAX, (struct expected_run[]){
		{ index - 2, pfn - 2, 2 }, { index, pfn, 2 },
		{ index + 2, 5, 1 },
	}, 3);
	expect_runs(test, &blocks, index + 1, index + 1,
		    (struct expected_run[]){ { index + 1, pfn + 1, 1 }, }, 1);
	free_blocks(&blocks);

	build_scattered(test, &blocks, index - 300, 600);
	expect_scattered(test, &blocks, index - 300, 600);
	free_blocks(&blocks);
}

#define MODEL_PAGES	700

struct model_page {
	unsigned long pfn;
	unsigned int users;
};

static void expect_model(struct kunit *test, struct rb_root_cached *blocks,
			 const struct model_page *model)
{
	struct iommufd_run_iter iter;
	unsigned long i, index = 0;

	iommufd_for_each_run(&iter, blocks, 0, ULONG_MAX) {
		KUNIT_ASSERT_EQ(test, iter.run.index, index);
		for (i = 0; i < iter.run.npages; i++, index++) {
			KUNIT_ASSERT_EQ(test, iter.run.pfn + i,
					model[index].pfn);
			KUNIT_ASSERT_EQ(test, iter.block->users,
					model[index].users);
		}
	}
	KUNIT_ASSERT_EQ(test, index, MODEL_PAGES);
}

static void use_interval(struct kunit *test, struct rb_root_cached *blocks,
			 unsigned long first, unsigned long last)
{
	struct iommufd_block *block = block_at(blocks, first);

	if (block->node.start != first)
		KUNIT_ASSERT_TRUE(test,
				  iommufd_block_split(block, blocks, first));
	block = block_at(blocks, last + 1);
	if (block && block->node.start != last + 1)
		KUNIT_ASSERT_TRUE(test,
				  iommufd_block_split(block, blocks, last + 1));
	for (; first <= last; first = block->node.last + 1) {
		block = block_at(blocks, first);
		block->users++;
	}
}

/* Random users of overlapping intervals, compared with a model of each page. */
static void store_sharing(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block_builder builder;
	struct model_page *model;
	unsigned long i, first, last;
	struct rnd_state rnd;
	int round;

	model = kunit_kcalloc(test, MODEL_PAGES, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&rnd, 7);
	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, 0, MODEL_PAGES),
			0);
	for (i = 0; i < MODEL_PAGES; i++) {
		/* Half of the pages continue a run, so all fit into a block. */
		model[i].pfn = i && prandom_u32_state(&rnd) % 2 ?
				       model[i - 1].pfn + 1 :
				       prandom_u32_state(&rnd);
		model[i].users = 1;
		KUNIT_ASSERT_TRUE(test, iommufd_builder_add(&builder,
							    model[i].pfn, 1));
	}
	iommufd_builder_finish(&builder, &blocks);
	expect_model(test, &blocks, model);

	for (round = 0; round < 200; round++) {
		first = prandom_u32_state(&rnd) % MODEL_PAGES;
		last = first + prandom_u32_state(&rnd) % (MODEL_PAGES - first);
		use_interval(test, &blocks, first, last);
		for (i = first; i <= last; i++)
			model[i].users++;
		expect_model(test, &blocks, model);
	}
	free_blocks(&blocks);
}

static void store_no_memory(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block_builder builder;
	struct iommufd_block *own;
	unsigned int nr_blocks, n;

	limit_allocs(test, 0);
	KUNIT_EXPECT_EQ(test, iommufd_builder_start(&builder, 0, 1), -ENOMEM);
	KUNIT_EXPECT_NULL(test, builder.block);
	iommufd_builder_finish(&builder, &blocks);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&blocks.rb_root));

	own = kunit_kzalloc(test, struct_size(own, runs, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, own);
	iommufd_builder_start_in(&builder, 0, own);
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 10, 1));
	KUNIT_EXPECT_EQ(test, iommufd_builder_enlarge(&builder, 2), -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, builder.block, own);
	KUNIT_EXPECT_EQ(test, builder.nr_runs, 1);

	/* 396 pages are split into four blocks: let each step fail. */
	scattered_from = 1UL << 32;
	for (n = 1; n <= 5; n++) {
		limit_allocs(test, n);
		build_scattered(test, &blocks, 0, 396);
		expect_scattered(test, &blocks, 0, 396);
		memory_of(&blocks, &nr_blocks);
		KUNIT_EXPECT_EQ(test, nr_blocks, min(n, 4));
		KUNIT_EXPECT_EQ(test, allocs_left, 0);
		if (n == 5)
			expect_bound(test, &blocks, 396, 1);
		free_blocks(&blocks);
	}
	scattered_from = 0;

	/* 243 pages become flat, in two blocks, of which one is reallocated. */
	for (n = 1; n <= 4; n++) {
		limit_allocs(test, n);
		build_scattered(test, &blocks, 0, 243);
		expect_scattered(test, &blocks, 0, 243);
		memory_of(&blocks, &nr_blocks);
		KUNIT_EXPECT_EQ(test, nr_blocks, n < 3 ? 1 : 2);
		KUNIT_EXPECT_EQ(test, !block_at(&blocks, 0)->nr_runs, n > 1);
		KUNIT_EXPECT_EQ(test, allocs_left, 0);
		free_blocks(&blocks);
	}
}

static void split_no_memory(struct kunit *test, unsigned long from)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	struct iommufd_block *block;
	unsigned int nr_blocks;

	scattered_from = from;
	build_scattered(test, &blocks, 0, BLOCK_MAX_RUNS);
	block = block_at(&blocks, 0);
	limit_allocs(test, 0);
	KUNIT_EXPECT_FALSE(test, iommufd_block_split(block, &blocks, 100));
	KUNIT_EXPECT_PTR_EQ(test, block_at(&blocks, BLOCK_MAX_RUNS - 1), block);
	expect_scattered(test, &blocks, 0, BLOCK_MAX_RUNS);

	/* Enough memory for the second part, but not to shrink the first. */
	limit_allocs(test, 1);
	KUNIT_EXPECT_TRUE(test, iommufd_block_split(block, &blocks, 100));
	KUNIT_EXPECT_PTR_EQ(test, block_at(&blocks, 0), block);
	KUNIT_EXPECT_EQ(test, ksize(block), from ? 4096 : 2048);
	memory_of(&blocks, &nr_blocks);
	KUNIT_EXPECT_EQ(test, nr_blocks, 2);
	expect_scattered(test, &blocks, 0, BLOCK_MAX_RUNS);
	unlimit_allocs(test);
	free_blocks(&blocks);
	scattered_from = 0;
}

static void store_split_no_memory(struct kunit *test)
{
	split_no_memory(test, 0);
	split_no_memory(test, 1UL << 32);
}

static void memory_from(struct kunit *test, unsigned long from)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	unsigned long n;

	scattered_from = from;
	for (n = 1; n <= 2000; n++) {
		build_scattered(test, &blocks, 0, n);
		expect_bound(test, &blocks, n, 1);
		expect_scattered(test, &blocks, 0, n);
		free_blocks(&blocks);
	}
	scattered_from = 0;
}

/* The worst case: no two PFNs are consecutive. */
static void store_memory(struct kunit *test)
{
	memory_from(test, 0);
	memory_from(test, 1UL << 32);
}

/* A block is flat up to the last PFN of 32 bits. */
static void store_flat(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	unsigned long last = 99;

	scattered_from = U32_MAX - 2 * last - 1;
	build_scattered(test, &blocks, 0, last + 1);
	KUNIT_EXPECT_EQ(test, scattered_pfn(last), U32_MAX);
	KUNIT_EXPECT_EQ(test, block_at(&blocks, 0)->nr_runs, 0);
	expect_scattered(test, &blocks, 0, last + 1);
	free_blocks(&blocks);

	scattered_from += 2;
	build_scattered(test, &blocks, 0, last + 1);
	KUNIT_EXPECT_EQ(test, block_at(&blocks, 0)->nr_runs, last + 1);
	expect_scattered(test, &blocks, 0, last + 1);
	free_blocks(&blocks);
	scattered_from = 0;
}

static void store_memory_large(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	unsigned long n = 100000;
	unsigned int nr_blocks;
	size_t bytes;

	build_scattered(test, &blocks, 0, n);
	expect_scattered(test, &blocks, 0, n);
	expect_bound(test, &blocks, n, 1);
	bytes = memory_of(&blocks, &nr_blocks);
	kunit_info(test, "%lu pages: %zu bytes in %u blocks", n, bytes,
		   nr_blocks);
	KUNIT_EXPECT_LE(test, bytes, n * STORE_COST_PER_PFN);
	free_blocks(&blocks);
}

/* Small requests allocate once, and no more than needed. */
static void store_memory_small(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	unsigned long n;

	for (n = 1; n <= 25; n++) {
		limit_allocs(test, 1);
		build_scattered(test, &blocks, 0, n);
		unlimit_allocs(test);
		expect_bound(test, &blocks, n, 1);
		free_blocks(&blocks);
	}
}

/*
 * Each split may add the fixed cost of two parts. The upper bound is one block
 * per page.
 */
static void split_and_check(struct kunit *test, struct rb_root_cached *blocks,
			    unsigned long npages, unsigned long index,
			    unsigned int *nr_splits)
{
	struct iommufd_block *block = block_at(blocks, index);
	unsigned int nr_blocks;

	if (block->node.start == index)
		return;
	KUNIT_ASSERT_TRUE(test, iommufd_block_split(block, blocks, index));
	(*nr_splits)++;
	expect_bound(test, blocks, npages, 1 + 2 * *nr_splits);
	KUNIT_ASSERT_LE(test, memory_of(blocks, &nr_blocks),
			npages * 64 + STORE_COST_FIXED);
}

static void split_steps(struct kunit *test, unsigned long npages, long step,
			unsigned long from)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	unsigned int nr_splits = 0;
	long index;

	scattered_from = from;
	build_scattered(test, &blocks, 0, npages);
	for (index = step > 0 ? step : npages + step;
	     index > 0 && index < npages; index += step)
		split_and_check(test, &blocks, npages, index, &nr_splits);
	expect_scattered(test, &blocks, 0, npages);
	free_blocks(&blocks);
	scattered_from = 0;
}

static void store_memory_split(struct kunit *test)
{
	static const int steps[] = { 1, 2, 3, 6, 10, 18, 26, 58, 122, 250, 252 };
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	unsigned long n = 1010, index, step;
	unsigned int i, nr_splits = 0;

	/* From either end, in steps that just exceed a size class. */
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		split_steps(test, n, steps[i], 0);
		split_steps(test, n, -steps[i], 0);
		split_steps(test, n, steps[i], 1UL << 32);
		split_steps(test, n, -steps[i], 1UL << 32);
	}
	/* In halves, down to one page. */
	build_scattered(test, &blocks, 0, n);
	for (step = 512; step; step /= 2)
		for (index = step; index < n; index += step)
			split_and_check(test, &blocks, n, index, &nr_splits);
	expect_scattered(test, &blocks, 0, n);
	free_blocks(&blocks);
}

/* The block of indices 10..19 keeps its users if only a part is unused. */
static void refuse_part(struct kunit *test, struct iommufd_pages *pages,
			unsigned long first, unsigned long last)
{
	struct iommufd_requester requester = {};

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test,
				iommufd_pages_unpin(pages, first, last,
						    &requester),
				0);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	KUNIT_EXPECT_EQ(test, block_at(&pages->blocks, 10)->users, 2);
}

/* A block must not be unpinned for a user of a part of it. */
static void store_unuse_part(struct kunit *test)
{
	struct iommufd_requester requester = {};
	struct iommufd_pages *pages;
	struct iommufd_block *block;

	pages = kunit_kzalloc(test, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	mutex_init(&pages->lock);
	pages->blocks = RB_ROOT_CACHED;
	block = build(test, &pages->blocks, 10, (struct expected_run[]){
		{ .pfn = 100, .npages = 10 },
	}, 1);
	block->users = 2;

	refuse_part(test, pages, 10, 18);
	refuse_part(test, pages, 11, 19);
	refuse_part(test, pages, 12, 12);
	refuse_part(test, pages, 0, 15);
	refuse_part(test, pages, 15, 30);
	KUNIT_EXPECT_EQ(test, iommufd_pages_unpin(pages, 0, 30, &requester), 0);
	KUNIT_EXPECT_EQ(test, block_at(&pages->blocks, 10)->users, 1);
	free_blocks(&pages->blocks);
}

static struct kunit_case store_cases[] = {
	KUNIT_CASE(store_runs_join),
	KUNIT_CASE(store_runs_of_sections),
	KUNIT_CASE(store_cut_to_interval),
	KUNIT_CASE(store_split),
	KUNIT_CASE(store_block_full),
	KUNIT_CASE(store_more_than_told),
	KUNIT_CASE(store_block_of_caller),
	KUNIT_CASE(store_longest_run),
	KUNIT_CASE(store_large_numbers),
	KUNIT_CASE(store_sharing),
	KUNIT_CASE(store_no_memory),
	KUNIT_CASE(store_split_no_memory),
	KUNIT_CASE(store_memory),
	KUNIT_CASE(store_flat),
	KUNIT_CASE(store_memory_large),
	KUNIT_CASE(store_memory_small),
	KUNIT_CASE(store_memory_split),
	KUNIT_CASE(store_unuse_part),
	{}
};

static struct kunit_suite store_suite = {
	.name = "iommufd_store",
	.test_cases = store_cases,
};

kunit_test_suite(store_suite);
