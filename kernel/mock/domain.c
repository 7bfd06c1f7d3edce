// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of the software IOMMU. Their pages are smaller than PAGE_SIZE,
 * which no other IOMMU tests.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "iommu-pages.h"
#include "mock/driver.h"
#include "mock/knobs.h"

MODULE_IMPORT_NS("GENERIC_PT_IOMMU");

/* Enough for any physical address that the format can hold. */
#define MOCK_PHYS_BITS	51

static void paging_free(struct iommu_domain *domain)
{
	struct mock_paging *paging = to_mock_paging(domain);

	pt_iommu_deinit(&paging->table.iommu);
	kfree(paging);
}

/* There is no TLB, but freed page table pages wait for its flush. */
static void paging_iotlb_sync(struct iommu_domain *domain,
			      struct iommu_iotlb_gather *gather)
{
	iommu_put_pages_list(&gather->freelist);
}

static bool paging_enforce_cache_coherency(struct iommu_domain *domain)
{
	return READ_ONCE(mock_knobs.can_enforce);
}

static const struct iommu_domain_ops mock_paging_ops = {
	IOMMU_PT_DOMAIN_OPS(amdv1_mock),
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = mock_set_dev_pasid,
	.enforce_cache_coherency = paging_enforce_cache_coherency,
	.iotlb_sync = paging_iotlb_sync,
	.free = paging_free,
};

static int paging_set_dirty_tracking(struct iommu_domain *domain, bool enable)
{
	WRITE_ONCE(to_mock_paging(domain)->track_dirty, enable);
	return 0;
}

static const struct iommu_dirty_ops mock_dirty_ops = {
	IOMMU_PT_DIRTY_OPS(amdv1_mock),
	.set_dirty_tracking = paging_set_dirty_tracking,
};

/**
 * to_mock_paging - get the page table of a domain
 * @domain: a domain of any IOMMU
 *
 * Return: the page table, or NULL if it is not one of this driver.
 */
struct mock_paging *to_mock_paging(struct iommu_domain *domain)
{
	if (domain->ops != &mock_paging_ops)
		return NULL;
	return container_of(domain, struct mock_paging, domain);
}

static int init_table(struct mock_paging *paging, u32 type)
{
	struct pt_iommu_amdv1_mock_cfg cfg = {
		.common.hw_max_oasz_lg2 = MOCK_PHYS_BITS,
		/* Three levels: 38 bits. */
		.starting_level = 2,
	};
	int ret;

	switch (type) {
	case MOCK_IOMMUPT_DEFAULT:
		cfg.common.hw_max_vasz_lg2 = ilog2(MOCK_APERTURE_LAST) + 1;
		break;
	case MOCK_IOMMUPT_HUGE:
		cfg.common.hw_max_vasz_lg2 = 38;
		break;
	default:
		return -EOPNOTSUPP;
	}

	paging->table.iommu.nid = NUMA_NO_NODE;
	ret = pt_iommu_amdv1_mock_init(&paging->table, &cfg,
				       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	/* Tests rely on these two restrictions of the format. */
	if (type == MOCK_IOMMUPT_DEFAULT)
		paging->domain.geometry.aperture_start = MOCK_APERTURE_START;
	else
		paging->domain.pgsize_bitmap &= MOCK_PAGE_SIZE |
						MOCK_HUGE_PAGE_SIZE;
	if (READ_ONCE(mock_knobs.large_pages))
		paging->domain.pgsize_bitmap &= ~(2 * PAGE_SIZE - 1);
	return 0;
}

/**
 * mock_paging_alloc - iommu_ops: allocate a page table
 * @dev: a device that will use it
 * @flags: IOMMU_HWPT_ALLOC_*
 * @user_data: a struct iommu_hwpt_selftest, or NULL
 *
 * Return: the domain or an ERR_PTR: -EOPNOTSUPP, -ENOMEM, or the errno if the
 * data can't be read.
 */
struct iommu_domain *
mock_paging_alloc(struct device *dev, u32 flags,
		  const struct iommu_user_data *user_data)
{
	const u32 known = IOMMU_HWPT_ALLOC_NEST_PARENT |
			  IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
			  IOMMU_HWPT_ALLOC_PASID;
	bool dirty = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	struct iommu_hwpt_selftest data = {
		.pagetable_type = MOCK_IOMMUPT_DEFAULT,
	};
	struct mock_paging *paging;
	int ret;

	if (flags & ~known)
		return ERR_PTR(-EOPNOTSUPP);
	if (user_data) {
		if (user_data->type != IOMMU_HWPT_DATA_SELFTEST)
			return ERR_PTR(-EOPNOTSUPP);
		ret = iommu_copy_struct_from_user(&data, user_data,
						  IOMMU_HWPT_DATA_SELFTEST,
						  iotlb);
		if (ret)
			return ERR_PTR(ret);
	}

	paging = kzalloc_obj(*paging, GFP_KERNEL_ACCOUNT);
	if (!paging)
		return ERR_PTR(-ENOMEM);
	ret = init_table(paging, data.pagetable_type);
	if (ret) {
		kfree(paging);
		return ERR_PTR(ret);
	}
	paging->domain.ops = &mock_paging_ops;
	if (dirty)
		paging->domain.dirty_ops = &mock_dirty_ops;
	paging->nest_parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	return &paging->domain;
}
