// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the mapping of MSI doorbells, without interrupts, as most machines
 * have no IOMMU that translates them.
 */
#include <kunit/test.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "builtin/doorbell.h"
#include "core/ctx.h"
#include "domain/domain.h"
#include "domain/handle.h"

#define WINDOW	0x8000000UL
#define PAGES	4
#define MANY	2

/**
 * struct table - a page table, of which only the window exists
 * @domain: its domain
 * @mirror: the same for iommufd
 * @phys: physical address that each page of the window maps, 0 for none
 * @room: number of pages that can still be mapped
 */
struct table {
	struct iommu_domain domain;
	struct iommufd_domain mirror;
	phys_addr_t phys[PAGES];
	int room;
};

/**
 * struct world - a context with groups and page tables
 * @ctx: the context
 * @groups: groups
 * @tables: page tables
 * @handles: attachments of each group to each page table
 */
struct world {
	struct iommufd_ctx ctx;
	struct iommufd_msi groups[MANY];
	struct table tables[MANY];
	struct iommufd_attach_handle handles[MANY][MANY];
};

static int map_pages(struct iommu_domain *domain, unsigned long iova,
		     phys_addr_t phys, size_t pgsize, size_t pgcount, int prot,
		     gfp_t gfp, size_t *mapped)
{
	struct table *table = container_of(domain, struct table, domain);
	unsigned long index = (iova - WINDOW) / PAGE_SIZE;

	if (pgsize != PAGE_SIZE || pgcount != 1 || index >= PAGES ||
	    table->phys[index])
		return -EINVAL;
	if (!table->room)
		return -ENOMEM;
	table->room--;
	table->phys[index] = phys;
	*mapped = PAGE_SIZE;
	return 0;
}

static size_t unmap_pages(struct iommu_domain *domain, unsigned long iova,
			  size_t pgsize, size_t pgcount,
			  struct iommu_iotlb_gather *gather)
{
	struct table *table = container_of(domain, struct table, domain);
	unsigned long index = (iova - WINDOW) / PAGE_SIZE;

	if (pgsize != PAGE_SIZE || pgcount != 1 || index >= PAGES ||
	    !table->phys[index])
		return 0;
	table->phys[index] = 0;
	table->room++;
	return PAGE_SIZE;
}

/* CONFIG_IOMMU_DEBUG_PAGEALLOC looks up addresses before an unmap. */
static phys_addr_t iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	struct table *table = container_of(domain, struct table, domain);
	unsigned long index = (iova - WINDOW) / PAGE_SIZE;

	return index < PAGES ? table->phys[index] : 0;
}

static const struct iommu_domain_ops table_ops = {
	.map_pages = map_pages,
	.unmap_pages = unmap_pages,
	.iova_to_phys = iova_to_phys,
};

static void init_table(struct table *table)
{
	table->domain.type = IOMMU_DOMAIN_UNMANAGED;
	table->domain.ops = &table_ops;
	table->domain.pgsize_bitmap = PAGE_SIZE;
	table->mirror.iommu = &table->domain;
	table->room = PAGES;
}

static int world_init(struct kunit *test)
{
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	int i, j;

	if (!world)
		return -ENOMEM;
	mutex_init(&world->ctx.doorbells_lock);
	INIT_LIST_HEAD(&world->ctx.doorbells);
	INIT_LIST_HEAD(&world->ctx.msi_handles);
	for (i = 0; i < MANY; i++) {
		init_table(&world->tables[i]);
		world->groups[i].ctx = &world->ctx;
		world->groups[i].window.start = WINDOW;
		world->groups[i].window.length = PAGES * PAGE_SIZE;
		for (j = 0; j < MANY; j++) {
			world->handles[i][j].msi = &world->groups[i];
			world->handles[i][j].domain =
				&world->tables[j].mirror;
			INIT_LIST_HEAD(&world->handles[i][j].msi_node);
		}
	}
	test->priv = world;
	return 0;
}

static void world_exit(struct kunit *test)
{
	struct world *world = test->priv;

	if (!world)
		return;
	KUNIT_EXPECT_TRUE(test, list_empty(&world->ctx.msi_handles));
	__iommufd_doorbells_free(&world->ctx);
	mutex_destroy(&world->ctx.doorbells_lock);
}

static void begin(struct kunit *test, int group, int table)
{
	struct world *world = test->priv;

	KUNIT_ASSERT_EQ(test,
			__iommufd_doorbells_begin(&world->handles[group][table]),
			0);
}

static void end(struct kunit *test, int group, int table)
{
	struct world *world = test->priv;

	__iommufd_doorbells_end(&world->handles[group][table]);
}

static phys_addr_t bell(int number)
{
	return 0x40000000 + number * 0x100000UL;
}

/* Map a doorbell for an interrupt of the group; it is not page aligned. */
static void ring(struct kunit *test, int group, int number, int page)
{
	struct world *world = test->priv;
	unsigned long iova = 0;

	KUNIT_ASSERT_EQ(test,
			iommufd_doorbell_map(&world->groups[group],
					     bell(number) + 0x40, &iova),
			0);
	KUNIT_EXPECT_EQ(test, iova, WINDOW + page * PAGE_SIZE);
}

/* The page table maps doorbells @first.., one per page, in order. */
static void expect(struct kunit *test, int table, int first, int n)
{
	struct world *world = test->priv;
	int i;

	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, world->tables[table].phys[i],
				i >= first && i < first + n ? bell(i) : 0);
}

static void doorbell_pages(struct kunit *test)
{
	begin(test, 0, 0);
	begin(test, 1, 1);
	ring(test, 0, 0, 0);
	ring(test, 0, 0, 0);
	ring(test, 1, 1, 1);
	ring(test, 0, 2, 2);
	ring(test, 1, 2, 2);
	KUNIT_EXPECT_EQ(test, ((struct world *)test->priv)->tables[0].phys[1],
			0);
	expect(test, 1, 1, 2);
	end(test, 0, 0);
	expect(test, 0, 0, 0);
	expect(test, 1, 1, 2);
	end(test, 1, 1);
	expect(test, 1, 0, 0);
}

/* Interrupts keep their addresses after an attach to another page table. */
static void doorbell_kept(struct kunit *test)
{
	begin(test, 0, 0);
	ring(test, 0, 0, 0);
	ring(test, 0, 1, 1);
	end(test, 0, 0);
	begin(test, 0, 1);
	expect(test, 0, 0, 0);
	expect(test, 1, 0, 2);
	end(test, 0, 1);
	expect(test, 1, 0, 0);
}

/* An interrupt that is set up during a replace is mapped in both tables. */
static void doorbell_replace(struct kunit *test)
{
	begin(test, 0, 0);
	ring(test, 0, 0, 0);
	begin(test, 0, 1);
	ring(test, 0, 1, 1);
	expect(test, 0, 0, 2);
	expect(test, 1, 0, 2);
	end(test, 0, 0);
	expect(test, 0, 0, 0);
	expect(test, 1, 0, 2);
	/* A replace that fails keeps the old attachment. */
	begin(test, 0, 0);
	ring(test, 0, 2, 2);
	end(test, 0, 0);
	expect(test, 0, 0, 0);
	expect(test, 1, 0, 3);
	end(test, 0, 1);
}

static void doorbell_shared(struct kunit *test)
{
	begin(test, 0, 0);
	begin(test, 1, 0);
	ring(test, 0, 0, 0);
	ring(test, 1, 1, 1);
	ring(test, 0, 1, 1);
	ring(test, 0, 2, 2);
	expect(test, 0, 0, 3);
	end(test, 0, 0);
	expect(test, 0, 1, 1);
	/* This has no effect, as it has ended already. */
	end(test, 0, 0);
	end(test, 1, 0);
	expect(test, 0, 0, 0);
}

static void doorbell_window(struct kunit *test)
{
	struct world *world = test->priv;
	unsigned long iova;
	int i;

	begin(test, 0, 0);
	for (i = 0; i < PAGES; i++)
		ring(test, 0, i, i);
	KUNIT_EXPECT_EQ(test,
			iommufd_doorbell_map(&world->groups[0], bell(PAGES),
					     &iova),
			-EOVERFLOW);
	ring(test, 0, 1, 1);
	expect(test, 0, 0, PAGES);
	end(test, 0, 0);

	/* Another window has pages of its own. */
	world->groups[1].window.start = WINDOW + PAGE_SIZE;
	world->groups[1].window.length = PAGE_SIZE;
	begin(test, 1, 0);
	ring(test, 1, 1, 1);
	expect(test, 0, 1, 1);
	KUNIT_EXPECT_EQ(test,
			iommufd_doorbell_map(&world->groups[1], bell(2), &iova),
			-EOVERFLOW);
	end(test, 1, 0);
	expect(test, 0, 0, 0);

	world->groups[1].window.start = WINDOW + 2 * PAGE_SIZE;
	world->groups[1].window.length = PAGE_SIZE - 1;
	KUNIT_EXPECT_EQ(test,
			iommufd_doorbell_map(&world->groups[1], bell(2), &iova),
			-EOVERFLOW);
}

static void doorbell_fails(struct kunit *test)
{
	struct world *world = test->priv;
	unsigned long iova;

	begin(test, 0, 0);
	ring(test, 0, 0, 0);
	ring(test, 0, 1, 1);
	world->tables[1].room = 1;
	KUNIT_EXPECT_EQ(test, __iommufd_doorbells_begin(&world->handles[0][1]),
			-ENOMEM);
	expect(test, 0, 0, 2);
	expect(test, 1, 0, 0);

	/* It fails if one of two page tables can't map it. */
	world->tables[1].room = 2;
	begin(test, 0, 1);
	KUNIT_EXPECT_EQ(test,
			iommufd_doorbell_map(&world->groups[0], bell(2), &iova),
			-ENOMEM);
	end(test, 0, 1);
	expect(test, 1, 0, 0);
	ring(test, 0, 2, 2);
	expect(test, 0, 0, 3);
	end(test, 0, 0);
	expect(test, 0, 0, 0);
}

static struct kunit_case doorbell_cases[] = {
	KUNIT_CASE(doorbell_pages),
	KUNIT_CASE(doorbell_kept),
	KUNIT_CASE(doorbell_replace),
	KUNIT_CASE(doorbell_shared),
	KUNIT_CASE(doorbell_window),
	KUNIT_CASE(doorbell_fails),
	{}
};

static struct kunit_suite doorbell_suite = {
	.name = "iommufd_doorbell",
	.init = world_init,
	.exit = world_exit,
	.test_cases = doorbell_cases,
};

kunit_test_suite(doorbell_suite);

MODULE_IMPORT_NS("IOMMUFD_INTERNAL");
