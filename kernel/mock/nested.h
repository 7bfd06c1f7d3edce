/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_NESTED_H
#define __IOMMUFD_MOCK_NESTED_H

#include <linux/iommu.h>

#include "iommufd_test.h"

struct iommu_user_data;
struct iommu_user_data_array;
struct mock_viommu;

/**
 * struct mock_nested - the page table of a guest, of which only a TLB exists
 * @domain: the domain
 * @viommu: the vIOMMU it was allocated from, or NULL
 * @iotlb: the TLB
 */
struct mock_nested {
	struct iommu_domain domain;
	struct mock_viommu *viommu;
	u32 iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
};

/* An invalidation of a TLB entry, or of an entry of a device cache. */
union mock_invalidation {
	struct iommu_hwpt_invalidate_selftest hwpt;
	struct iommu_viommu_invalidate_selftest viommu;
};

struct iommu_domain *mock_nested_alloc(struct mock_viommu *viommu, u32 flags,
				       const struct iommu_user_data *user_data);
struct mock_nested *to_mock_nested(struct iommu_domain *domain);

/**
 * mock_invalidate - process the entries of an invalidation
 * @array: the entries; their number is set to the number that were handled
 * @type: required type
 * @size: size of an entry
 * @one: handles one entry
 * @owner: passed to @one
 *
 * In line, so that @size and @one are known.
 *
 * Return: 0, -EINVAL if the entries are of another type, or the errno of the
 * first entry that could not be read or handled.
 */
static __always_inline int
mock_invalidate(struct iommu_user_data_array *array, u32 type, size_t size,
		int (*one)(void *owner, const union mock_invalidation *entry),
		void *owner)
{
	union mock_invalidation entry __uninitialized;
	u32 done = 0;
	int ret = 0;

	/* Check the type even if there are no entries. */
	if (array->type != type)
		ret = -EINVAL;
	while (!ret && done < array->entry_num) {
		ret = __iommu_copy_struct_from_user_array(&entry, array, type,
							  done, size, size);
		if (!ret)
			ret = one(owner, &entry);
		if (!ret)
			done++;
	}
	array->entry_num = done;
	return ret;
}
#endif
