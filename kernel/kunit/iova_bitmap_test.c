// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of bitmaps in user memory, with mock drivers.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/iova_bitmap.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

/* More than two windows of 32 pages. */
#define NPAGES	80
#define NBYTES	(NPAGES * PAGE_SIZE)

/**
 * struct mark - a range that a driver marks
 * @call: number of the call in which the driver marks it
 * @iova: first address
 * @length: bytes
 */
struct mark {
	unsigned int call;
	unsigned long iova;
	unsigned long length;
};

/**
 * struct world - a bitmap in user memory and its expected contents
 * @test: the test
 * @data: user address of NPAGES pages, all zero
 * @shift: offset of the bitmap in them, in bytes
 * @page_size: bytes per bit
 * @iova: first address
 * @length: bytes
 * @marks: the ranges that the driver marks
 * @nmarks: number of ranges
 * @calls: number of calls of the driver
 * @next: expected address of the next call
 * @ret: result of the driver from the call with the last mark on
 */
struct world {
	struct kunit *test;
	unsigned long data;
	unsigned int shift;
	unsigned long page_size;
	unsigned long iova;
	unsigned long length;
	const struct mark *marks;
	unsigned int nmarks;
	unsigned int calls;
	unsigned long next;
	int ret;
};

static void new_world(struct kunit *test, struct world *world)
{
	*world = (struct world){
		.test = test,
		.page_size = 1,
		.iova = 0x12345000,
		.length = NBYTES * BITS_PER_BYTE,
	};
	world->data = kunit_vm_mmap(test, NULL, 0, NBYTES,
				    PROT_READ | PROT_WRITE,
				    MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, world->data, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(world->data));
}

static struct iova_bitmap *new_bitmap(struct world *world)
{
	void __user *data = (void __user *)world->data;

	return iova_bitmap_alloc(world->iova, world->length, world->page_size,
				 data + world->shift);
}

static int driver(struct iova_bitmap *bitmap, unsigned long iova, size_t length,
		  void *opaque)
{
	struct world *world = opaque;
	unsigned int i, left = 0;

	KUNIT_EXPECT_EQ(world->test, iova, world->next);
	KUNIT_EXPECT_NE(world->test, length, 0);
	for (i = 0; i < world->nmarks; i++) {
		const struct mark *mark = &world->marks[i];

		if (mark->call == world->calls)
			iova_bitmap_set(bitmap, mark->iova, mark->length);
		left += mark->call > world->calls;
	}
	world->next = iova + length;
	world->calls++;
	return left ? 0 : world->ret;
}

static int run(struct world *world)
{
	struct iova_bitmap *bitmap = new_bitmap(world);
	int ret;

	KUNIT_ASSERT_FALSE(world->test, IS_ERR(bitmap));
	world->calls = 0;
	world->next = world->iova;
	ret = iova_bitmap_for_each(bitmap, world, driver);
	iova_bitmap_free(bitmap);
	return ret;
}

/* The expected contents of the user's memory, computed bit by bit. */
static void *expected(struct world *world)
{
	u8 *bytes = kunit_kzalloc(world->test, NBYTES, GFP_KERNEL);
	unsigned long iova, end = world->iova + world->length;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(world->test, bytes);
	for (i = 0; i < world->nmarks; i++) {
		const struct mark *mark = &world->marks[i];

		if (mark->call >= world->calls)
			continue;
		for (iova = max(mark->iova, world->iova);
		     iova < end && iova - mark->iova < mark->length; iova++) {
			unsigned long bit =
				(iova - world->iova) / world->page_size;

			bytes[world->shift + bit / 8] |= BIT(bit % 8);
		}
	}
	return bytes;
}

static void check(struct world *world)
{
	struct kunit *test = world->test;
	u8 *want = expected(world);
	u8 *got = kunit_kzalloc(test, NBYTES, GFP_KERNEL);
	unsigned long i;

	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_ASSERT_EQ(test,
			copy_from_user(got, (void __user *)world->data, NBYTES),
			0);
	for (i = 0; i < NBYTES; i++) {
		if (got[i] == want[i])
			continue;
		KUNIT_FAIL(test, "byte %lu: %#x, not %#x", i, got[i], want[i]);
		break;
	}
	kunit_kfree(test, got);
	kunit_kfree(test, want);
}

#define SET_MARKS(world, array)                           \
	do {                                              \
		(world)->marks = (array);                 \
		(world)->nmarks = ARRAY_SIZE(array);      \
	} while (0)

static void bitmap_bad_arguments(struct kunit *test)
{
	struct world world;
	struct iova_bitmap *bitmap;

	new_world(test, &world);
	world.length = 0;
	KUNIT_EXPECT_EQ(test, PTR_ERR(new_bitmap(&world)), -EINVAL);
	world.length = SZ_16K;
	world.page_size = 0;
	KUNIT_EXPECT_EQ(test, PTR_ERR(new_bitmap(&world)), -EINVAL);
	world.page_size = 3 * SZ_1K;
	KUNIT_EXPECT_EQ(test, PTR_ERR(new_bitmap(&world)), -EINVAL);
	world.page_size = SZ_4K;
	world.iova = ULONG_MAX - SZ_16K + 2;
	KUNIT_EXPECT_EQ(test, PTR_ERR(new_bitmap(&world)), -EOVERFLOW);
	world.data = ULONG_MAX - 7;
	world.iova = ULONG_MAX - SZ_16K + 1;
	KUNIT_EXPECT_EQ(test, PTR_ERR(new_bitmap(&world)), -EFAULT);

	/* The largest possible values. The memory is not accessed yet. */
	world.data = SZ_64K;
	world.iova = 0;
	world.length = ULONG_MAX;
	world.page_size = BIT(BITS_PER_LONG - 1);
	bitmap = new_bitmap(&world);
	KUNIT_EXPECT_FALSE(test, IS_ERR(bitmap));
	iova_bitmap_free(bitmap);
}

/* Ranges that end inside a byte, a word, and a page of the bitmap. */
static void bitmap_ranges(struct kunit *test)
{
	static const struct mark marks[] = {
		{ 0, 0x12345000, 1 },
		{ 0, 0x12345003, 3 },
		{ 0, 0x12345011, 0x42 },
		{ 0, 0x12345000 + 8 * SZ_4K - 5, 10 },
		{ 0, 0x12345000 + 3 * 8 * SZ_4K - 5, 2 * 8 * SZ_4K + 7 },
		{ 0, 0x12345111, 0 },
	};
	struct world world;

	new_world(test, &world);
	SET_MARKS(&world, marks);
	KUNIT_EXPECT_EQ(test, run(&world), 0);
	check(&world);
}

static void bitmap_not_aligned(struct kunit *test)
{
	static const struct mark marks[] = {
		{ 0, 0x12345000, 1 },
		{ 0, 0x12345fff, 0x2001 },
		{ 0, 0x12345000 + SZ_64K, SZ_64K },
		{ 1, 0x12345000 + SZ_2M, SZ_64K + 3 },
	};
	static const unsigned int shifts[] = { 1, 7, 8, 4095, 4088, 4097 };
	struct world world;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) && shifts[i] % 8)
			continue;
		new_world(test, &world);
		world.shift = shifts[i];
		world.length -= 2 * 8 * SZ_4K;
		SET_MARKS(&world, marks);
		KUNIT_EXPECT_EQ(test, run(&world), 0);
		check(&world);
	}
}

/* Bits of several bytes, with a start and an end inside a bit. */
static void bitmap_page_sizes(struct kunit *test)
{
	static const struct mark marks[] = {
		{ 0, 0x1000, SZ_8K },
		{ 0, 0x100100, 1 },
		{ 0, 0x17ffff, 2 },
		{ 0, 0x1fffff, 1 },
		{ 0, 0x200000, SZ_1M },
	};
	static const unsigned long sizes[] = { 2, SZ_2K, SZ_4K, SZ_64K };
	struct world world;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		new_world(test, &world);
		world.iova = 0x1234;
		world.length = 0x1fffff - 0x1234;
		world.page_size = sizes[i];
		SET_MARKS(&world, marks);
		KUNIT_EXPECT_EQ(test, run(&world), 0);
		check(&world);
	}
}

/* Marks outside of the bitmap are ignored without an error. */
static void bitmap_outside(struct kunit *test)
{
	static const struct mark marks[] = {
		{ 0, 0, 0x12345000 },
		{ 0, 0, 0x12345001 },
		{ 0, 0x12346000, ULONG_MAX },
		{ 0, ULONG_MAX, ULONG_MAX },
		{ 0, 0x12345ffe, 100 },
	};
	struct world world;

	new_world(test, &world);
	world.length = SZ_4K - 1;
	SET_MARKS(&world, marks);
	KUNIT_EXPECT_EQ(test, run(&world), 0);
	check(&world);
}

/* Windows end at addresses where large pages of an IOMMU end. */
static int windows(struct iova_bitmap *bitmap, unsigned long iova,
		   size_t length, void *opaque)
{
	struct world *world = opaque;

	KUNIT_EXPECT_EQ(world->test, iova, world->next);
	if (world->calls)
		KUNIT_EXPECT_TRUE(world->test, IS_ALIGNED(iova, SZ_1G));
	world->next = iova + length;
	world->calls++;
	return 0;
}

static void bitmap_windows(struct kunit *test)
{
	struct iova_bitmap *bitmap;
	struct world world;

	new_world(test, &world);
	world.iova = SZ_2G - SZ_4K;
	world.length = SZ_8G;
	world.page_size = SZ_4K;
	world.next = world.iova;
	bitmap = new_bitmap(&world);
	KUNIT_ASSERT_FALSE(test, IS_ERR(bitmap));
	KUNIT_EXPECT_EQ(test, iova_bitmap_for_each(bitmap, &world, windows), 0);
	iova_bitmap_free(bitmap);
	KUNIT_EXPECT_EQ(test, world.next, world.iova + world.length);
	KUNIT_EXPECT_GT(test, world.calls, 1);
}

/* Marks that extend into the next window, or begin in the previous one. */
static void bitmap_beyond_window(struct kunit *test)
{
	/* The first window ends at 0x12400000, the second at 0x12500000. */
	static const struct mark marks[] = {
		{ 0, 0x123ffff0, 0x123 },
		{ 1, 0x123f0001, 0xffff },
		{ 1, 0x124ffff1, 0x10000 },
		{ 2, 0x124fff00, 0x100 },
	};
	static const struct mark far[] = {
		{ 0, 0x12345000 + NBYTES * 8 - 1, 1 },
		{ 2, 0x12345007, 1 },
	};
	static const struct mark all[] = {
		{ 1, 0, ULONG_MAX },
	};
	struct world world;

	new_world(test, &world);
	SET_MARKS(&world, marks);
	KUNIT_EXPECT_EQ(test, run(&world), 0);
	KUNIT_EXPECT_EQ(test, world.calls, 3);
	check(&world);

	new_world(test, &world);
	SET_MARKS(&world, far);
	KUNIT_EXPECT_EQ(test, run(&world), 0);
	check(&world);

	new_world(test, &world);
	SET_MARKS(&world, all);
	KUNIT_EXPECT_EQ(test, run(&world), 0);
	check(&world);
}

/* Bits that are set already stay set. */
static void bitmap_adds(struct kunit *test)
{
	static const struct mark first[] = {
		{ 0, 0x12345001, 2 },
	};
	static const struct mark both[] = {
		{ 0, 0x12345001, 2 },
		{ 0, 0x12345006, 1 },
	};
	struct world world;

	new_world(test, &world);
	SET_MARKS(&world, first);
	KUNIT_EXPECT_EQ(test, run(&world), 0);
	world.marks = &both[1];
	KUNIT_EXPECT_EQ(test, run(&world), 0);
	SET_MARKS(&world, both);
	check(&world);
}

/* An error of the driver ends the walk, but its marks are stored. */
static void bitmap_driver_fails(struct kunit *test)
{
	static const struct mark marks[] = {
		{ 0, 0x12345008, 1 },
		{ 0, 0x123fffff, 0x200000 },
		{ 1, 0x12400000, 1 },
		{ 1, 0x12345009, 1 },
	};
	struct world world;

	new_world(test, &world);
	SET_MARKS(&world, marks);
	world.ret = -EREMOTEIO;
	KUNIT_EXPECT_EQ(test, run(&world), -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, world.calls, 2);
	check(&world);
}

/* The driver is not called for a range that can't be stored. */
static void bitmap_no_memory(struct kunit *test)
{
	static const struct mark marks[] = {
		{ 0, 0x12345000, 1 },
	};
	struct world world;

	new_world(test, &world);
	SET_MARKS(&world, marks);
	KUNIT_ASSERT_EQ(test, vm_munmap(world.data + PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, run(&world), -EFAULT);
	KUNIT_EXPECT_EQ(test, world.calls, 0);
	world.length = PAGE_SIZE * BITS_PER_BYTE;
	KUNIT_EXPECT_EQ(test, run(&world), 0);
	KUNIT_EXPECT_EQ(test, world.calls, 1);

	world.data += 2 * PAGE_SIZE;
	world.length = (NPAGES - 1) * PAGE_SIZE * BITS_PER_BYTE;
	KUNIT_EXPECT_EQ(test, run(&world), -EFAULT);
	KUNIT_EXPECT_EQ(test, world.calls, 2);
}

static struct mark random_mark(struct rnd_state *rnd, struct world *world)
{
	unsigned int order = prandom_u32_state(rnd) % 22;

	return (struct mark){
		.call = prandom_u32_state(rnd) % 3,
		.iova = world->iova - SZ_1K +
			prandom_u32_state(rnd) % (world->length + SZ_2K),
		.length = prandom_u32_state(rnd) % BIT(order),
	};
}

/* Random marks, one at a time. */
static void bitmap_random(struct kunit *test)
{
	struct rnd_state rnd;
	struct mark mark;
	struct world world;
	unsigned int i;

	prandom_seed_state(&rnd, 7);
	new_world(test, &world);
	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ(test,
				clear_user((void __user *)world.data, NBYTES),
				0);
		world.page_size = BIT(prandom_u32_state(&rnd) % 3);
		world.shift = prandom_u32_state(&rnd) % PAGE_SIZE & ~7;
		world.iova = prandom_u32_state(&rnd) | BIT(20);
		world.length = (prandom_u32_state(&rnd) | 1) %
			       ((NBYTES - PAGE_SIZE) * BITS_PER_BYTE);
		mark = random_mark(&rnd, &world);
		world.nmarks = 1;
		world.marks = &mark;
		KUNIT_EXPECT_EQ(test, run(&world), 0);
		KUNIT_EXPECT_EQ(test, world.next, world.iova + world.length);
		check(&world);
	}
}

static struct kunit_case iova_bitmap_cases[] = {
	KUNIT_CASE(bitmap_bad_arguments),
	KUNIT_CASE(bitmap_ranges),
	KUNIT_CASE(bitmap_not_aligned),
	KUNIT_CASE(bitmap_page_sizes),
	KUNIT_CASE(bitmap_outside),
	KUNIT_CASE(bitmap_windows),
	KUNIT_CASE(bitmap_beyond_window),
	KUNIT_CASE(bitmap_adds),
	KUNIT_CASE(bitmap_driver_fails),
	KUNIT_CASE(bitmap_no_memory),
	KUNIT_CASE(bitmap_random),
	{}
};

static struct kunit_suite iova_bitmap_suite = {
	.name = "iommufd_iova_bitmap",
	.test_cases = iova_bitmap_cases,
};

kunit_test_suite(iova_bitmap_suite);

MODULE_IMPORT_NS("IOMMUFD");
