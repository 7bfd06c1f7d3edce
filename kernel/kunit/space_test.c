// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O virtual addresses of an IOAS, without an IOAS.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "ioas/space.h"

static struct iommufd_area *new_area(struct kunit *test)
{
	return kunit_kzalloc(test, sizeof(struct iommufd_area), GFP_KERNEL);
}

static struct iommufd_area *insert(struct kunit *test,
				   struct iommufd_space *space,
				   unsigned long iova, unsigned long length)
{
	struct iommufd_area *area = new_area(test);

	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_EQ(test, iommufd_space_insert(space, area, iova, length),
			0);
	return area;
}

static void space_overlap(struct kunit *test)
{
	struct iommufd_space space;
	struct iommufd_area *area = new_area(test);

	iommufd_space_init(&space);
	insert(test, &space, 0x10000, 0x4000);
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, 0x13fff, 1),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, 0xffff, 2),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, 0, 0x20000),
			-EEXIST);
	/* Neighbours on both sides are none of it. */
	insert(test, &space, 0xf000, 0x1000);
	insert(test, &space, 0x14000, 0x1000);
}

static void space_ends(struct kunit *test)
{
	struct iommufd_space space;
	struct iommufd_area *low, *high;

	iommufd_space_init(&space);
	low = insert(test, &space, 0, 1);
	high = insert(test, &space, ULONG_MAX, 1);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_space_first(&space, 0, 0), low);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_space_first(&space, 1, ULONG_MAX),
			    high);
	KUNIT_EXPECT_NULL(test, iommufd_space_first(&space, 1, ULONG_MAX - 1));
	KUNIT_EXPECT_PTR_EQ(test, iommufd_area_next(low, ULONG_MAX), high);
	KUNIT_EXPECT_NULL(test, iommufd_area_next(low, ULONG_MAX - 1));
	KUNIT_EXPECT_NULL(test, iommufd_area_next(high, ULONG_MAX));
}

static void space_alignment(struct kunit *test)
{
	struct iommufd_space space;
	struct iommufd_area *area = new_area(test);

	iommufd_space_init(&space);
	space.alignment = SZ_4K;
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, 1, SZ_4K),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, SZ_4K, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, SZ_4K, SZ_4K),
			0);
}

static void space_reserved(struct kunit *test)
{
	struct iommufd_space space;
	struct iommufd_area *area = new_area(test), *old;
	int one, two;

	iommufd_space_init(&space);
	KUNIT_ASSERT_EQ(test,
			iommufd_space_reserve(&space, 0x1000, 0x1fff, &one, false), 0);
	KUNIT_ASSERT_EQ(test,
			iommufd_space_reserve(&space, 0x1800, 0x2fff, &two, false), 0);
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, 0x1fff, 1),
			-EINVAL);
	iommufd_space_unreserve(&space, &two);
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, 0x1fff, 1),
			-EINVAL);
	old = insert(test, &space, 0x2000, 0x1000);
	KUNIT_EXPECT_EQ(test,
			iommufd_space_reserve(&space, 0, 0x2000, &two, false),
			-EADDRINUSE);
	iommufd_space_unreserve(&space, &one);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&space.reserved.rb_root));
	KUNIT_EXPECT_EQ(test, iommufd_space_insert(&space, area, 0x1fff, 1),
			0);
	iommufd_space_remove(&space, area);
	iommufd_space_remove(&space, old);
}

static void space_find(struct kunit *test)
{
	struct iommufd_space space;
	struct iommufd_area *first;
	unsigned long iova;
	int owner;

	iommufd_space_init(&space);
	/* Used: 0..0x3fff, 0x5000..0x7fff; reserved: 0x100000..0x1fffff. */
	first = insert(test, &space, 0, 0x4000);
	insert(test, &space, 0x5000, 0x3000);
	KUNIT_ASSERT_EQ(test,
			iommufd_space_reserve(&space, 0x100000, 0x1fffff,
					      &owner, false),
			0);

	KUNIT_EXPECT_EQ(test, iommufd_space_find(&space, 0x1000, 1, 0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x4000);
	KUNIT_EXPECT_EQ(test, iommufd_space_find(&space, 0x1001, 1, 0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x8000);
	/* A hole that fits only just is taken when its phase is right. */
	KUNIT_EXPECT_EQ(test,
			iommufd_space_find(&space, 0xf8000, 0x8000, 0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x8000);
	KUNIT_EXPECT_EQ(test,
			iommufd_space_find(&space, 0xf8000, 0x8000, 0x1000,
					   &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x201000);
	KUNIT_EXPECT_EQ(test,
			iommufd_space_find(&space, SZ_2M, SZ_2M, 0x3000, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x203000);
	/* More than there is behind the last area and reservation. */
	KUNIT_EXPECT_EQ(test,
			iommufd_space_find(&space, ULONG_MAX - 0x1ffffe, 1, 0,
					   &iova),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test,
			iommufd_space_find(&space, ULONG_MAX - 0x1fffff, 1, 0,
					   &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x200000);

	iommufd_space_remove(&space, first);
	/* Not in the first page. */
	KUNIT_EXPECT_EQ(test, iommufd_space_find(&space, 0x4000, 1, 0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x1000);
	iommufd_space_unreserve(&space, &owner);
}

static void space_split(struct kunit *test)
{
	struct iommufd_area *area, *tail = new_area(test), *next;
	struct iommufd_space space;
	unsigned long iova;

	iommufd_space_init(&space);
	area = insert(test, &space, 0x2000, 0x6000);
	next = insert(test, &space, 0xa000, 0x1000);

	iommufd_space_split(&space, area, tail, 0x5000);
	KUNIT_EXPECT_EQ(test, area->iova, 0x2000);
	KUNIT_EXPECT_EQ(test, area->last, 0x4fff);
	KUNIT_EXPECT_EQ(test, tail->iova, 0x5000);
	KUNIT_EXPECT_EQ(test, tail->last, 0x7fff);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_space_first(&space, 0x4fff, 0x4fff),
			    area);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_space_first(&space, 0x5000, 0x5000),
			    tail);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_area_next(area, ULONG_MAX), tail);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_area_next(tail, ULONG_MAX), next);

	/* Either part can go; what it leaves is found, and no more. */
	iommufd_space_remove(&space, area);
	KUNIT_EXPECT_EQ(test, iommufd_space_find(&space, 0x4000, 0x1000, 0,
						 &iova), 0);
	KUNIT_EXPECT_EQ(test, iova, 0x1000);
	iommufd_space_remove(&space, tail);
	KUNIT_EXPECT_EQ(test, iommufd_space_find(&space, 0x9000, 0x1000, 0,
						 &iova), 0);
	KUNIT_EXPECT_EQ(test, iova, 0x1000);
	iommufd_space_remove(&space, next);
}

#define SLOTS	512

/* Against a model: which of SLOTS pages are used. */
static void space_random(struct kunit *test)
{
	struct iommufd_area **slots;
	struct iommufd_space space;
	struct rnd_state rnd;
	int owner, round, i;

	slots = kunit_kcalloc(test, SLOTS, sizeof(*slots), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slots);
	iommufd_space_init(&space);
	prandom_seed_state(&rnd, 7);
	KUNIT_ASSERT_EQ(test,
			iommufd_space_reserve(&space, SLOTS * SZ_4K, ULONG_MAX,
					      &owner, false),
			0);

	for (round = 0; round < 20000; round++) {
		unsigned int slot = prandom_u32_state(&rnd) % SLOTS;
		unsigned int n = prandom_u32_state(&rnd) % 8 + 1;
		unsigned int free = 0, lowest = SLOTS;
		unsigned long iova;
		int ret;

		if (slots[slot]) {
			struct iommufd_area *area = slots[slot];

			iommufd_space_remove(&space, area);
			for (i = 0; i < SLOTS; i++)
				if (slots[i] == area)
					slots[i] = NULL;
			kunit_kfree(test, area);
			continue;
		}
		for (i = 1; i < SLOTS && lowest == SLOTS; i++) {
			free = slots[i] ? 0 : free + 1;
			if (free == n)
				lowest = i + 1 - n;
		}
		ret = iommufd_space_find(&space, n * SZ_4K, SZ_4K, 0, &iova);
		KUNIT_ASSERT_EQ(test, ret, lowest == SLOTS ? -ENOSPC : 0);
		if (ret)
			continue;
		/*
		 * The search asks first for a hole that fits however it lies,
		 * which may be a higher one, never one that is used.
		 */
		KUNIT_ASSERT_GE(test, iova, lowest * SZ_4K);
		slots[iova / SZ_4K] = insert(test, &space, iova, n * SZ_4K);
		for (i = 1; i < n; i++)
			slots[iova / SZ_4K + i] = slots[iova / SZ_4K];
	}
	iommufd_space_unreserve(&space, &owner);
}

static struct kunit_case space_cases[] = {
	KUNIT_CASE(space_overlap),
	KUNIT_CASE(space_ends),
	KUNIT_CASE(space_alignment),
	KUNIT_CASE(space_reserved),
	KUNIT_CASE(space_find),
	KUNIT_CASE(space_split),
	KUNIT_CASE(space_random),
	{}
};

static struct kunit_suite space_suite = {
	.name = "iommufd_space",
	.test_cases = space_cases,
};

kunit_test_suite(space_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("Unit tests of iommufd's data structures");
MODULE_LICENSE("GPL");
