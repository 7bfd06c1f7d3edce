// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of a guest on top of one of the software IOMMU. Only their TLB
 * exists: entries that the guest invalidates become zero.
 */
#include <linux/slab.h>

#include "mock/driver.h"
#include "mock/nested.h"

static void nested_free(struct iommu_domain *domain)
{
	kfree(to_mock_nested(domain));
}

static int nested_invalidate(void *owner,
			     const union mock_invalidation *entry)
{
	const struct iommu_hwpt_invalidate_selftest *inv = &entry->hwpt;
	struct mock_nested *nested = owner;
	unsigned int i;

	if (inv->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (inv->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL) {
		for (i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
			WRITE_ONCE(nested->iotlb[i], 0);
		return 0;
	}
	if (inv->iotlb_id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return -EINVAL;
	WRITE_ONCE(nested->iotlb[inv->iotlb_id], 0);
	return 0;
}

static int nested_cache_invalidate_user(struct iommu_domain *domain,
					struct iommu_user_data_array *array)
{
	return mock_invalidate(array, IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
			       sizeof(struct iommu_hwpt_invalidate_selftest),
			       nested_invalidate, to_mock_nested(domain));
}

static const struct iommu_domain_ops mock_nested_ops = {
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = mock_set_dev_pasid,
	.cache_invalidate_user = nested_cache_invalidate_user,
	.free = nested_free,
};

/**
 * to_mock_nested - get the guest's page table of a domain
 * @domain: a domain of any IOMMU
 *
 * Return: the page table, or NULL if it is not a guest's page table of this
 * driver.
 */
struct mock_nested *to_mock_nested(struct iommu_domain *domain)
{
	if (domain->ops != &mock_nested_ops)
		return NULL;
	return container_of(domain, struct mock_nested, domain);
}

/**
 * mock_nested_alloc - allocate a guest's page table
 * @viommu: the vIOMMU that it is used through, or NULL
 * @flags: IOMMU_HWPT_ALLOC_*
 * @user_data: a struct iommu_hwpt_selftest
 *
 * Return: the domain or an ERR_PTR: -EOPNOTSUPP, -ENOMEM, or the errno if the
 * data can't be read.
 */
struct iommu_domain *mock_nested_alloc(struct mock_viommu *viommu, u32 flags,
				       const struct iommu_user_data *user_data)
{
	struct iommu_hwpt_selftest data;
	struct mock_nested *nested;
	unsigned int i;
	int ret;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(-EOPNOTSUPP);
	if (user_data->type != IOMMU_HWPT_DATA_SELFTEST)
		return ERR_PTR(-EOPNOTSUPP);
	ret = iommu_copy_struct_from_user(&data, user_data,
					  IOMMU_HWPT_DATA_SELFTEST, iotlb);
	if (ret)
		return ERR_PTR(ret);

	nested = kzalloc_obj(*nested, GFP_KERNEL_ACCOUNT);
	if (!nested)
		return ERR_PTR(-ENOMEM);
	nested->domain.type = IOMMU_DOMAIN_NESTED;
	nested->domain.ops = &mock_nested_ops;
	nested->viommu = viommu;
	for (i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
		nested->iotlb[i] = data.iotlb;
	return &nested->domain;
}
