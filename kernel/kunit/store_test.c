// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs and blocks of the pages store, without pages.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include "pages/store.h"

struct expected_run {
	unsigned long index, pfn, npages;
};

static struct iommufd_block *build(struct kunit *test,
				   struct rb_root_cached *blocks,
				   unsigned long index,
				   const struct expected_run *runs, int n)
{
	struct iommufd_block_builder builder;
	struct iommufd_block *block;
	int i;

	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, index), 0);
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_TRUE(test, iommufd_builder_add(&builder,
							    runs[i].pfn,
							    runs[i].npages));
	block = iommufd_builder_finish(&builder);
	KUNIT_ASSERT_NOT_NULL(test, block);
	block->users = 1;
	interval_tree_insert(&block->node, blocks);
	return block;
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
	struct iommufd_block *block, *tail;

	block = build(test, &blocks, 1000, (struct expected_run[]){
		{ .pfn = 100, .npages = 8 }, { .pfn = 200, .npages = 8 },
	}, 2);
	block->users = 3;

	/* In the middle of a run. */
	tail = iommufd_block_split(block, &blocks, 1003);
	KUNIT_ASSERT_NOT_NULL(test, tail);
	KUNIT_EXPECT_EQ(test, block->nr_runs, 1);
	KUNIT_EXPECT_EQ(test, tail->nr_runs, 2);
	KUNIT_EXPECT_EQ(test, tail->users, 3);
	KUNIT_EXPECT_EQ(test, block->node.last, 1002);
	KUNIT_EXPECT_EQ(test, tail->node.last, 1015);

	/* Between two runs. */
	block = iommufd_block_split(tail, &blocks, 1008);
	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_EXPECT_EQ(test, tail->nr_runs, 1);
	KUNIT_EXPECT_EQ(test, block->nr_runs, 1);

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

	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, 0), 0);
	for (i = 0; i < BLOCK_MAX_RUNS; i++)
		KUNIT_ASSERT_TRUE(test,
				  iommufd_builder_add(&builder, 2 * i, 1));
	KUNIT_EXPECT_FALSE(test, iommufd_builder_add(&builder, 2 * i, 1));
	/* One that continues the last run needs no room. */
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 2 * i - 1, 1));
	block = iommufd_builder_finish(&builder);
	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_EXPECT_EQ(test, block->nr_runs, BLOCK_MAX_RUNS);
	/* 8 bytes a run and the block itself: bounded at 10 bytes a page. */
	KUNIT_EXPECT_LE(test, ksize(block), 10 * BLOCK_MAX_RUNS);
	interval_tree_insert(&block->node, &blocks);
	free_blocks(&blocks);

	/* Contiguous memory fills a block by its length. */
	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, 0), 0);
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder, 0,
						    BLOCK_MAX_PAGES - 1));
	KUNIT_EXPECT_FALSE(test, iommufd_builder_add(&builder,
						     BLOCK_MAX_PAGES - 1, 2));
	KUNIT_EXPECT_TRUE(test, iommufd_builder_add(&builder,
						    BLOCK_MAX_PAGES - 1, 1));
	kfree(iommufd_builder_finish(&builder));
	KUNIT_ASSERT_EQ(test, iommufd_builder_start(&builder, 0), 0);
	KUNIT_EXPECT_NULL(test, iommufd_builder_finish(&builder));
}

static void store_large_numbers(struct kunit *test)
{
	struct rb_root_cached blocks = RB_ROOT_CACHED;
	unsigned long index = 1UL << 40, pfn = RUN_PFN_MASK - 1;

	build(test, &blocks, index, (struct expected_run[]){
		{ .pfn = pfn, .npages = 2 }, { .pfn = 5, .npages = 1 },
	}, 2);
	expect_runs(test, &blocks, index, index + 2, (struct expected_run[]){
		{ index, pfn, 2 }, { index + 2, 5, 1 },
	}, 2);
	free_blocks(&blocks);
}

static struct kunit_case store_cases[] = {
	KUNIT_CASE(store_runs_join),
	KUNIT_CASE(store_cut_to_interval),
	KUNIT_CASE(store_split),
	KUNIT_CASE(store_block_full),
	KUNIT_CASE(store_large_numbers),
	{}
};

static struct kunit_suite store_suite = {
	.name = "iommufd_store",
	.test_cases = store_cases,
};

kunit_test_suite(store_suite);
