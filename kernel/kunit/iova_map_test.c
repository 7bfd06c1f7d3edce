// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of struct iommufd_iova_map, without an IOAS.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/pgtable.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "ioas/iova_map.h"

static struct iommufd_area *new_area(struct kunit *test)
{
	return kunit_kzalloc(test, sizeof(struct iommufd_area), GFP_KERNEL);
}

static struct iommufd_area *insert(struct kunit *test,
				   struct iommufd_iova_map *map,
				   unsigned long iova, unsigned long length)
{
	struct iommufd_area *area = new_area(test);

	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_EQ(test, iommufd_iova_map_insert(map, area, iova, length),
			0);
	return area;
}

static void iova_map_overlap(struct kunit *test)
{
	struct iommufd_iova_map map;
	struct iommufd_area *area = new_area(test);

	iommufd_iova_map_init(&map);
	insert(test, &map, 0x10000, 0x4000);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, 0x13fff, 1),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, 0xffff, 2),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, 0, 0x20000),
			-EEXIST);
	/* Adjacent areas on both sides do not overlap. */
	insert(test, &map, 0xf000, 0x1000);
	insert(test, &map, 0x14000, 0x1000);
}

static void iova_map_ends(struct kunit *test)
{
	struct iommufd_iova_map map;
	struct iommufd_area *low, *high;

	iommufd_iova_map_init(&map);
	low = insert(test, &map, 0, 1);
	high = insert(test, &map, ULONG_MAX, 1);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_first(&map, 0, 0), low);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_first(&map, 1, ULONG_MAX),
			    high);
	KUNIT_EXPECT_NULL(test, iommufd_iova_map_first(&map, 1, ULONG_MAX - 1));
	KUNIT_EXPECT_PTR_EQ(test, iommufd_area_next(low, ULONG_MAX), high);
	KUNIT_EXPECT_NULL(test, iommufd_area_next(low, ULONG_MAX - 1));
	KUNIT_EXPECT_NULL(test, iommufd_area_next(high, ULONG_MAX));
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_last(&map, 0), low);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_last(&map, ULONG_MAX - 1),
			    low);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_last(&map, ULONG_MAX),
			    high);
}

static void iova_map_alignment(struct kunit *test)
{
	struct iommufd_iova_map map;
	struct iommufd_area *area = new_area(test);

	iommufd_iova_map_init(&map);
	map.alignment = SZ_4K;
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, 1, SZ_4K),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, SZ_4K, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, SZ_4K, SZ_4K),
			0);
}

static void iova_map_reserved(struct kunit *test)
{
	struct iommufd_iova_map map;
	struct iommufd_area *area = new_area(test), *old;
	int one, two;

	iommufd_iova_map_init(&map);
	KUNIT_ASSERT_EQ(test,
			iommufd_iova_map_reserve(&map, 0x1000, 0x1fff, &one,
						 false),
			0);
	KUNIT_ASSERT_EQ(test,
			iommufd_iova_map_reserve(&map, 0x1800, 0x2fff, &two,
						 false),
			0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, 0x1fff, 1),
			-EINVAL);
	iommufd_iova_map_unreserve(&map, &two);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, 0x1fff, 1),
			-EINVAL);
	old = insert(test, &map, 0x2000, 0x1000);
	KUNIT_EXPECT_EQ(test,
			iommufd_iova_map_reserve(&map, 0, 0x2000, &two, false),
			-EADDRINUSE);
	iommufd_iova_map_unreserve(&map, &one);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&map.reserved.rb_root));
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_insert(&map, area, 0x1fff, 1),
			0);
	iommufd_iova_map_remove(&map, area);
	iommufd_iova_map_remove(&map, old);
}

static void iova_map_find(struct kunit *test)
{
	struct iommufd_iova_map map;
	struct iommufd_area *first;
	unsigned long iova;
	int owner;

	iommufd_iova_map_init(&map);
	/* Used: 0..0x3fff, 0x5000..0x7fff; reserved: 0x100000..0x1fffff. */
	first = insert(test, &map, 0, 0x4000);
	insert(test, &map, 0x5000, 0x3000);
	KUNIT_ASSERT_EQ(test,
			iommufd_iova_map_reserve(&map, 0x100000, 0x1fffff,
						 &owner, false),
			0);

	KUNIT_EXPECT_EQ(test, iommufd_iova_map_find(&map, 0x1000, 1, 0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x4000);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_find(&map, 0x1001, 1, 0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x8000);
	/* A hole that just fits is used if its phase is right. */
	KUNIT_EXPECT_EQ(test,
			iommufd_iova_map_find(&map, 0xf8000, 0x8000, 0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x8000);
	KUNIT_EXPECT_EQ(test,
			iommufd_iova_map_find(&map, 0xf8000, 0x8000, 0x1000,
					      &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x201000);
	KUNIT_EXPECT_EQ(test,
			iommufd_iova_map_find(&map, SZ_2M, SZ_2M, 0x3000,
					      &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x203000);
	/* More than there is after the last area and reservation. */
	KUNIT_EXPECT_EQ(test,
			iommufd_iova_map_find(&map,
					      ULONG_MAX - SZ_64K - 0x1ffffe, 1,
					      0, &iova),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test,
			iommufd_iova_map_find(&map,
					      ULONG_MAX - SZ_64K - 0x1fffff, 1,
					      0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x200000);

	iommufd_iova_map_remove(&map, first);
	/* Never in the first page. */
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_find(&map, 0x4000, 1, 0, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, 0x1000);
	iommufd_iova_map_unreserve(&map, &owner);
}

static void iova_map_split(struct kunit *test)
{
	struct iommufd_area *area, *tail = new_area(test), *next;
	struct iommufd_iova_map map;
	unsigned long iova;

	iommufd_iova_map_init(&map);
	area = insert(test, &map, 0x2000, 0x6000);
	next = insert(test, &map, 0xa000, 0x1000);

	iommufd_iova_map_split(&map, area, tail, 0x5000);
	KUNIT_EXPECT_EQ(test, area->iova, 0x2000);
	KUNIT_EXPECT_EQ(test, area->last, 0x4fff);
	KUNIT_EXPECT_EQ(test, tail->iova, 0x5000);
	KUNIT_EXPECT_EQ(test, tail->last, 0x7fff);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_first(&map, 0x4fff, 0x4fff),
			    area);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_first(&map, 0x5000, 0x5000),
			    tail);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_last(&map, 0x4fff), area);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_iova_map_last(&map, 0x5000), tail);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_area_next(area, ULONG_MAX), tail);
	KUNIT_EXPECT_PTR_EQ(test, iommufd_area_next(tail, ULONG_MAX), next);

	/* Either part can be removed; exactly its hole is found then. */
	iommufd_iova_map_remove(&map, area);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_find(&map, 0x4000, 0x1000, 0,
						    &iova), 0);
	KUNIT_EXPECT_EQ(test, iova, 0x1000);
	iommufd_iova_map_remove(&map, tail);
	KUNIT_EXPECT_EQ(test, iommufd_iova_map_find(&map, 0x9000, 0x1000, 0,
						    &iova), 0);
	KUNIT_EXPECT_EQ(test, iova, 0x1000);
	iommufd_iova_map_remove(&map, next);
}

#define SLOTS	512

/* Compared with a model of SLOTS pages, each used or not. */
static void iova_map_random(struct kunit *test)
{
	struct iommufd_area **slots;
	struct iommufd_iova_map map;
	struct rnd_state rnd;
	int owner, round, i;

	slots = kunit_kcalloc(test, SLOTS, sizeof(*slots), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slots);
	iommufd_iova_map_init(&map);
	prandom_seed_state(&rnd, 7);
	KUNIT_ASSERT_EQ(test,
			iommufd_iova_map_reserve(&map, SLOTS * SZ_4K, ULONG_MAX,
						 &owner, false),
			0);

	for (round = 0; round < 20000; round++) {
		unsigned int slot = prandom_u32_state(&rnd) % SLOTS;
		unsigned int n = prandom_u32_state(&rnd) % 8 + 1;
		unsigned int free = 0, lowest = SLOTS;
		struct iommufd_area *area = slots[slot];
		unsigned long iova = slot * SZ_4K;
		int ret;

		/* A lookup finds recent and other areas, and no removed one. */
		KUNIT_ASSERT_PTR_EQ(test,
				    iommufd_iova_map_first(&map, iova, iova),
				    area);
		if (area) {
			iommufd_iova_map_remove(&map, area);
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
		ret = iommufd_iova_map_find(&map, n * SZ_4K, SZ_4K, 0, &iova);
		KUNIT_ASSERT_EQ(test, ret, lowest == SLOTS ? -ENOSPC : 0);
		if (ret)
			continue;
		/*
		 * The search prefers a hole that fits with any alignment, so it
		 * may return a higher one than the lowest.
		 */
		KUNIT_ASSERT_GE(test, iova, lowest * SZ_4K);
		slots[iova / SZ_4K] = insert(test, &map, iova, n * SZ_4K);
		for (i = 1; i < n; i++)
			slots[iova / SZ_4K + i] = slots[iova / SZ_4K];
	}
	iommufd_iova_map_unreserve(&map, &owner);
}

#define GRANULES	256
#define MOST_AREAS	24

/*
 * A model of a window at one end of the address space, in granules. Everything
 * outside of the window is reserved.
 */
struct window {
	struct iommufd_iova_map iovas;
	struct iommufd_area areas[MOST_AREAS];
	struct rnd_state rnd;
	unsigned long base;
	unsigned long granule;
	bool reserved[GRANULES];
	bool allowed[GRANULES];
	bool used[GRANULES];
	bool any_allowed;
};

static unsigned int below(struct window *window, unsigned int n)
{
	return prandom_u32_state(&window->rnd) % n;
}

static unsigned long first_of(struct window *window, unsigned int i)
{
	return window->base + i * window->granule;
}

static unsigned long last_of(struct window *window, unsigned int i)
{
	return first_of(window, i) + (window->granule - 1);
}

/* Sets @flags[@first..@last], unless one of them is set already. */
static bool claim(bool *flags, unsigned int first, unsigned int last)
{
	if (memchr(flags + first, true, last - first + 1))
		return false;
	memset(flags + first, true, last - first + 1);
	return true;
}

static void reserve(struct kunit *test, struct window *window,
		    unsigned int first, unsigned int last)
{
	memset(window->reserved + first, true, last - first + 1);
	KUNIT_ASSERT_EQ(test,
			iommufd_iova_map_reserve(&window->iovas,
						 first_of(window, first),
						 last_of(window, last), window,
						 false),
			0);
}

static void reserve_some(struct kunit *test, struct window *window)
{
	unsigned int n, first;

	/* A part of a large granule at an end could be chosen: reserve it. */
	if (window->granule > PAGE_SIZE) {
		reserve(test, window, 0, 0);
		reserve(test, window, GRANULES - 1, GRANULES - 1);
	}
	for (n = below(window, 4); n; n--) {
		first = below(window, GRANULES);
		reserve(test, window, first,
			min(first + below(window, 40), GRANULES - 1));
	}
}

static void allow_some(struct kunit *test, struct window *window)
{
	struct rb_root_cached allowed = RB_ROOT_CACHED;
	unsigned int n, first, last = 0;

	for (n = below(window, 2) * below(window, 6); n; n--) {
		/* Half of them right after the previous one. */
		first = below(window, 2) ? below(window, GRANULES) :
					   min(last + 1, GRANULES - 1);
		last = min(first + below(window, 60), GRANULES - 1);
		if (memchr(window->reserved + first, true, last - first + 1) ||
		    !claim(window->allowed, first, last))
			continue;
		KUNIT_ASSERT_EQ(test,
				iommufd_allowed_add(&allowed,
						    first_of(window, first),
						    last_of(window, last)),
				0);
		window->any_allowed = true;
	}
	KUNIT_ASSERT_EQ(test, iommufd_iova_map_allow(&window->iovas, &allowed),
			0);
}

static void use_some(struct kunit *test, struct window *window)
{
	unsigned int n, first, last;
	int want, ret;

	for (n = below(window, MOST_AREAS); n; n--) {
		first = below(window, GRANULES);
		last = min(first + below(window, 20), GRANULES - 1);
		want = 0;
		if (memchr(window->reserved + first, true, last - first + 1))
			want = -EINVAL;
		else if (!claim(window->used, first, last))
			want = -EEXIST;
		ret = iommufd_iova_map_insert(&window->iovas, &window->areas[n],
					      first_of(window, first),
					      (last - first + 1) *
						      window->granule);
		KUNIT_ASSERT_EQ(test, ret, want);
	}
}

static bool can_be_chosen(struct window *window, unsigned int i)
{
	if (window->used[i] || first_of(window, i) < PAGE_SIZE)
		return false;
	if (window->any_allowed)
		return window->allowed[i];
	return !window->reserved[i] &&
	       last_of(window, i) <= ULONG_MAX - SZ_64K;
}

/* Whether there are @n free granules with this alignment. */
static bool there_is(struct window *window, unsigned int n,
		     unsigned long memory, unsigned long align)
{
	unsigned int i, free = 0;

	for (i = 0; i < GRANULES; i++) {
		free = can_be_chosen(window, i) ? free + 1 : 0;
		if (free >= n &&
		    !((first_of(window, i + 1 - n) - memory) & (align - 1)))
			return true;
	}
	return false;
}

static void check_place(struct kunit *test, struct window *window)
{
	unsigned long granule = window->granule, align, iova;
	unsigned int n = below(window, 40) + 1, i;
	unsigned long memory = below(window, 1024) * granule;
	int ret;

	ret = iommufd_iova_map_place(&window->iovas, n * granule, memory,
				     &iova);
	KUNIT_ASSERT_EQ(test, ret,
			there_is(window, n, memory, PAGE_SIZE) ? 0 : -ENOSPC);
	if (ret)
		return;
	KUNIT_ASSERT_EQ(test, (iova - window->base) % granule, 0);
	KUNIT_ASSERT_LE(test, (iova - window->base) / granule, GRANULES - n);
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_TRUE(test,
				  can_be_chosen(window,
						(iova - window->base) /
						granule + i));
	/* In phase with the memory if there is a hole for that. */
	for (align = PAGE_SIZE; align <= PMD_SIZE; align *= PMD_SIZE / PAGE_SIZE)
		if (n * granule >= align &&
		    there_is(window, n, memory, align))
			KUNIT_ASSERT_EQ(test, (iova - memory) & (align - 1), 0);
	align = clamp(rounddown_pow_of_two(n * granule), PAGE_SIZE, PUD_SIZE);
	if (there_is(window, n, memory, align))
		KUNIT_ASSERT_EQ(test, (iova - memory) & (align - 1), 0);
}

/* Remove some areas at once, many of them adjacent. */
static void free_some(struct window *window)
{
	struct iommufd_area *area;
	LIST_HEAD(areas);

	iommufd_iova_map_for_each(area, &window->iovas, 0, ULONG_MAX)
		if (below(window, 4))
			list_add_tail(&area->list, &areas);
	iommufd_iova_map_remove_list(&window->iovas, &areas);
	list_for_each_entry(area, &areas, list)
		memset(window->used +
			       (area->iova - window->base) / window->granule,
		       false, iommufd_area_length(area) / window->granule);
}

static void run_window(struct kunit *test, struct window *window, bool top)
{
	unsigned long size = GRANULES * window->granule;
	struct rb_root_cached none = RB_ROOT_CACHED;
	struct iommufd_iova_map *map = &window->iovas;
	struct iommufd_area *area;
	int i;

	iommufd_iova_map_init(map);
	memset(window->reserved, 0, sizeof(window->reserved));
	memset(window->allowed, 0, sizeof(window->allowed));
	memset(window->used, 0, sizeof(window->used));
	window->any_allowed = false;
	window->base = top ? -size : 0;
	KUNIT_ASSERT_EQ(test,
			iommufd_iova_map_reserve(map, top ? 0 : size,
						 top ? -size - 1 : ULONG_MAX,
						 window, true),
			0);
	reserve_some(test, window);
	allow_some(test, window);
	use_some(test, window);
	for (i = 0; i < 20; i++) {
		if (i == 10)
			free_some(window);
		check_place(test, window);
	}
	while ((area = iommufd_iova_map_first(map, 0, ULONG_MAX)))
		iommufd_iova_map_remove(map, area);
	iommufd_iova_map_unreserve(map, window);
	KUNIT_ASSERT_EQ(test, iommufd_iova_map_allow(map, &none), 0);
	iommufd_allowed_free(&none);
}

/* A free range is found if and only if there is one, for each alignment. */
static void iova_map_place(struct kunit *test)
{
	struct window *window;
	int round;

	window = kunit_kzalloc(test, sizeof(*window), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, window);
	prandom_seed_state(&window->rnd, 11);
	for (round = 0; round < 2000; round++) {
		window->granule = round & 2 ? PMD_SIZE / 4 : PAGE_SIZE / 4;
		run_window(test, window, round & 1);
	}
}

static struct kunit_case iova_map_cases[] = {
	KUNIT_CASE(iova_map_overlap),
	KUNIT_CASE(iova_map_ends),
	KUNIT_CASE(iova_map_alignment),
	KUNIT_CASE(iova_map_reserved),
	KUNIT_CASE(iova_map_find),
	KUNIT_CASE(iova_map_split),
	KUNIT_CASE(iova_map_random),
	KUNIT_CASE(iova_map_place),
	{}
};

static struct kunit_suite iova_map_suite = {
	.name = "iommufd_iova_map",
	.test_cases = iova_map_cases,
};

kunit_test_suite(iova_map_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("Unit tests of iommufd's data structures");
MODULE_LICENSE("GPL");
