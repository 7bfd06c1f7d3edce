// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of the software IOMMU. It translates nothing: it keeps page tables
 * and the domains attached to its devices, so that tests can inspect them.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "mock/driver.h"
#include "mock/iopf.h"
#include "mock/knobs.h"
#include "mock/nested.h"
#include "mock/viommu.h"

/* Like some drivers, this one relies on iommufd to check capabilities. */
static bool mock_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return !READ_ONCE(mock_knobs.not_coherent);
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
		return READ_ONCE(mock_knobs.must_enforce) ||
		       READ_ONCE(mock_knobs.can_enforce);
	case IOMMU_CAP_DIRTY_TRACKING:
		return !(to_mock_device(dev)->flags &
			 MOCK_FLAGS_DEVICE_NO_DIRTY);
	default:
		return false;
	}
}

static const struct iommu_test_hw_info hw_info = {
	.test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL,
};

static void *mock_hw_info(struct device *dev, u32 *length,
			  enum iommu_hw_info_type *type)
{
	void *info;

	switch ((u32)*type) {
	case IOMMU_HW_INFO_TYPE_DEFAULT:
	case IOMMU_HW_INFO_TYPE_SELFTEST:
		break;
	default:
		return ERR_PTR(-EOPNOTSUPP);
	}

	info = kmemdup(&hw_info, sizeof(hw_info), GFP_KERNEL);
	if (!info)
		return ERR_PTR(-ENOMEM);
	*type = IOMMU_HW_INFO_TYPE_SELFTEST;
	*length = sizeof(hw_info);
	return info;
}

static struct mock_viommu *viommu_of(struct iommu_domain *domain)
{
	struct mock_nested *nested = to_mock_nested(domain);

	return nested ? nested->viommu : NULL;
}

/* Whether a device can use a domain, with or without a PASID. */
static int check_domain(struct mock_device *mdev, struct iommu_domain *domain)
{
	struct mock_viommu *viommu = viommu_of(domain);

	/* Events need the id of the device in the vIOMMU. */
	return viommu ? mock_viommu_check(viommu, &mdev->dev) : 0;
}

/**
 * mock_attach_dev - iommu_domain_ops: attach a domain to a device
 * @domain: the domain
 * @dev: the device
 * @old: the domain that it replaces, or NULL
 *
 * Return: 0, -ENOENT if the device has no virtual device in the vIOMMU of the
 * domain, or an errno of mock_iopf_replace().
 */
int mock_attach_dev(struct iommu_domain *domain, struct device *dev,
		    struct iommu_domain *old)
{
	struct mock_device *mdev = to_mock_device(dev);
	int ret;

	ret = check_domain(mdev, domain);
	if (!ret)
		ret = mock_iopf_replace(mdev, domain, old);
	if (!ret)
		mdev->viommu = viommu_of(domain);
	return ret;
}

/**
 * mock_set_dev_pasid - iommu_domain_ops: attach a domain to a PASID
 * @domain: the domain
 * @dev: the device
 * @pasid: the PASID
 * @old: the domain that it replaces, or NULL
 *
 * Return: 0, an errno of mock_attach_dev(), or -ENOMEM, also for the PASID that
 * always fails for tests.
 */
int mock_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
		       ioasid_t pasid, struct iommu_domain *old)
{
	struct mock_device *mdev = to_mock_device(dev);
	int ret;

	ret = check_domain(mdev, domain);
	if (ret)
		return ret;
	/* Tests rely on this PASID to fail when its domain is replaced. */
	if (pasid == IOMMU_TEST_PASID_RESERVED && old)
		return -ENOMEM;

	ret = xa_reserve(&mdev->domains, pasid, GFP_KERNEL);
	if (ret)
		return ret;
	ret = mock_iopf_replace(mdev, domain, old);
	if (ret) {
		xa_release(&mdev->domains, pasid);
		return ret;
	}
	xa_store(&mdev->domains, pasid, domain, GFP_KERNEL);
	return 0;
}

/* Detach a PASID, which can't fail. */
static int blocked_set_dev_pasid(struct iommu_domain *domain,
				 struct device *dev, ioasid_t pasid,
				 struct iommu_domain *old)
{
	struct mock_device *mdev = to_mock_device(dev);

	xa_erase(&mdev->domains, pasid);
	return mock_iopf_replace(mdev, domain, old);
}

static const struct iommu_domain_ops mock_blocked_ops = {
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = blocked_set_dev_pasid,
};

static struct iommu_domain mock_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &mock_blocked_ops,
};

static const struct iommu_domain_ops mock_identity_ops = {
	.attach_dev = mock_attach_dev,
};

static struct iommu_domain mock_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &mock_identity_ops,
};

/* These devices don't use the DMA API: no page table for it. */
static int mock_def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

static struct iommu_domain *
mock_domain_alloc_nested(struct device *dev, struct iommu_domain *parent,
			 u32 flags, const struct iommu_user_data *user_data)
{
	struct mock_paging *paging = to_mock_paging(parent);

	if (!paging || !paging->nest_parent)
		return ERR_PTR(-EINVAL);
	return mock_nested_alloc(NULL, flags, user_data);
}

/* Nothing in this IOMMU waits for a response. */
static void mock_page_response(struct device *dev, struct iopf_fault *evt,
			       struct iommu_page_response *msg)
{
}

const struct iommu_ops mock_iommu_ops = {
	.owner = THIS_MODULE,
	.capable = mock_capable,
	.hw_info = mock_hw_info,
	.domain_alloc_paging_flags = mock_paging_alloc,
	.domain_alloc_nested = mock_domain_alloc_nested,
	.probe_device = mock_probe_device,
	.device_group = generic_device_group,
	.def_domain_type = mock_def_domain_type,
	.page_response = mock_page_response,
	.get_viommu_size = mock_viommu_size,
	.viommu_init = mock_viommu_init,
	.identity_domain = &mock_identity_domain,
	.blocked_domain = &mock_blocked_domain,
	.release_domain = &mock_blocked_domain,
	/* Faults with a PASID that the guest manages go to its page table. */
	.user_pasid_table = true,
};
