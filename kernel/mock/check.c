// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets tests check what user space can't see: page tables, pinned pages and
 * caches. -EINVAL means that they are not as expected.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "core/object.h"
#include "device/device.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "mock/check.h"
#include "mock/driver.h"
#include "mock/nested.h"
#include "mock/slot.h"

static int user_phys(unsigned long uptr, phys_addr_t *phys)
{
	struct page *page;
	int ret;

	ret = get_user_pages_fast(uptr & PAGE_MASK, 1, 0, &page);
	if (ret < 0)
		return ret;
	if (ret != 1)
		return -EFAULT;
	*phys = page_to_phys(page) + offset_in_page(uptr);
	put_page(page);
	return 0;
}

static int check_mapped(struct iommufd_hwpt_paging *hwpt, unsigned long iova,
			unsigned long length, unsigned long uptr)
{
	struct iommu_domain *domain = hwpt->common.domain;
	phys_addr_t expected = 0;
	unsigned long done;
	phys_addr_t phys;
	int ret;

	for (done = 0; done < length; done += MOCK_PAGE_SIZE) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (uptr) {
			ret = user_phys(uptr + done, &expected);
			if (ret)
				return ret;
		}
		/* Keeps the page table from being written. */
		ret = down_write_killable(&hwpt->ioas->domains_rwsem);
		if (ret)
			return ret;
		phys = iommu_iova_to_phys(domain, iova + done);
		up_write(&hwpt->ioas->domains_rwsem);
		if (phys != expected)
			return -EINVAL;
	}
	return 0;
}

/**
 * mock_check_map - IOMMU_TEST_OP_MD_CHECK_MAP
 * @ucmd: the request: checks that a page table maps the addresses to the user's
 *	memory, or does not map them if no memory is given
 *
 * Return: 0, -EINVAL if the check fails, or another negative errno.
 */
int mock_check_map(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	unsigned long length = cmd->check_map.length;
	unsigned long iova = cmd->check_map.iova;
	unsigned long uptr = cmd->check_map.uptr;
	struct iommufd_hwpt_paging *hwpt;
	struct iommufd_object *obj;
	unsigned long end;
	int ret = -EINVAL;

	if ((iova | length | uptr) % MOCK_PAGE_SIZE ||
	    check_add_overflow(iova, length, &end) ||
	    check_add_overflow(uptr, length, &end))
		return -EINVAL;

	obj = iommufd_object_get(ucmd->ctx, cmd->id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	hwpt = to_hwpt_paging(obj);
	if (to_mock_paging(hwpt->common.domain))
		ret = check_mapped(hwpt, iova, length, uptr);
	iommufd_object_put(ucmd->ctx, obj);
	return ret;
}

/*
 * The pin count of a small page is exact. A large folio only has the sum of the
 * pins of all its pages.
 */
static bool has_pins(struct folio *folio, unsigned int pins)
{
	unsigned int all;

	if (!folio_test_large(folio))
		return folio_ref_count(folio) / GUP_PIN_COUNTING_BIAS == pins;
	all = atomic_read(&folio->_pincount);
	return pins ? all >= pins : !all;
}

/**
 * mock_check_refs - IOMMU_TEST_OP_MD_CHECK_REFS
 * @ucmd: the request: checks how often each page of the user's memory is pinned
 *
 * Return: 0, -EINVAL if the check fails, or another negative errno.
 */
int mock_check_refs(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	unsigned long length = cmd->check_refs.length;
	unsigned long uptr = cmd->check_refs.uptr;
	unsigned long end, done;
	struct page *page;
	bool ok;
	int ret;

	if (!PAGE_ALIGNED(uptr | length) ||
	    check_add_overflow(uptr, length, &end))
		return -EINVAL;

	for (done = 0; done < length; done += PAGE_SIZE) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = get_user_pages_fast(uptr + done, 1, 0, &page);
		if (ret != 1)
			return ret < 0 ? ret : -EFAULT;
		ok = has_pins(page_folio(page), cmd->check_refs.refs);
		put_page(page);
		if (!ok)
			return -EINVAL;
	}
	return 0;
}

/**
 * mock_check_iotlb - IOMMU_TEST_OP_MD_CHECK_IOTLB
 * @ucmd: the request: checks a TLB entry of a guest's page table
 *
 * Return: 0, -EINVAL if the check fails, or another negative errno.
 */
int mock_check_iotlb(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 index = cmd->check_iotlb.id;
	struct iommufd_hw_pagetable *hwpt;
	struct mock_nested *nested;
	struct iommufd_object *obj;
	int ret = -EINVAL;

	if (index > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return -EINVAL;

	obj = iommufd_object_get(ucmd->ctx, cmd->id, IOMMUFD_OBJ_HWPT_NESTED);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	hwpt = container_of(obj, struct iommufd_hw_pagetable, obj);
	nested = to_mock_nested(hwpt->domain);
	if (nested && READ_ONCE(nested->iotlb[index]) == cmd->check_iotlb.iotlb)
		ret = 0;
	iommufd_object_put(ucmd->ctx, obj);
	return ret;
}

/**
 * mock_check_cache - IOMMU_TEST_OP_DEV_CHECK_CACHE
 * @ucmd: the request: checks a cache entry of a device
 *
 * Return: 0, -EINVAL if the check fails, or another negative errno.
 */
int mock_check_cache(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 index = cmd->check_dev_cache.id;
	struct iommufd_device *idev;
	struct mock_device *mdev;
	int ret = -EINVAL;

	if (index > MOCK_DEV_CACHE_ID_MAX)
		return -EINVAL;

	idev = mock_idev_get(ucmd->ctx, cmd->id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	mdev = to_mock_device(idev->dev);
	if (READ_ONCE(mdev->cache[index]) == cmd->check_dev_cache.cache)
		ret = 0;
	iommufd_object_put(ucmd->ctx, &idev->obj);
	return ret;
}
