// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_IOMMU_GET_INFO: describes a container with a chain of capabilities.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "core/ctx.h"
#include "domain/domain.h"
#include "ioas/ioas.h"
#include "ioas/reserve.h"
#include "trace/fail.h"
#include "vfio/limits.h"
#include "vfio/vfio.h"

/**
 * struct chain - the capabilities in the user's format
 * @avail: how many more mappings are possible
 * @pad: aligns the next capability
 * @iova: the addresses that can be mapped
 */
struct chain {
	struct vfio_iommu_type1_info_dma_avail avail;
	u32 pad;
	struct vfio_iommu_type1_info_cap_iova_range iova;
};

static size_t chain_size(u32 nr_ranges)
{
	return struct_size_t(struct chain, iova.iova_ranges, nr_ranges);
}

/**
 * struct limits - the limits of a container
 * @ranges: the addresses that can be mapped, to be freed with kvfree()
 * @nr_ranges: number of ranges
 * @page_sizes: bitmap of supported page sizes
 */
struct limits {
	struct iommu_iova_range *ranges;
	u32 nr_ranges;
	unsigned long page_sizes;
};

/* Get the limits of a container in which no device is open. */
static int expected_limits(struct limits *limits)
{
	struct iommufd_vfio_limits expected;
	int ret;

	ret = iommufd_vfio_limits_get(&expected);
	if (ret)
		return ret;
	limits->page_sizes = expected.page_sizes;
	limits->nr_ranges = iommufd_iova_map_usable(&expected.iovas, NULL, 0);
	limits->ranges = kvcalloc(limits->nr_ranges, sizeof(*limits->ranges),
				  GFP_KERNEL_ACCOUNT);
	if (limits->ranges)
		iommufd_iova_map_usable(&expected.iovas, limits->ranges,
					limits->nr_ranges);
	iommufd_vfio_limits_put(&expected);
	return limits->ranges ? 0 : -ENOMEM;
}

/* Returns false if no device is open, so that there are no page tables. */
static bool page_table_sizes(struct iommufd_ioas *ioas, unsigned long *sizes)
{
	struct iommufd_domain *domain;
	unsigned long common = ULONG_MAX;
	bool any;

	down_read(&ioas->domains_rwsem);
	list_for_each_entry(domain, &ioas->domains, node)
		common &= domain->iommu->pgsize_bitmap;
	any = !list_empty(&ioas->domains);
	up_read(&ioas->domains_rwsem);
	*sizes = common;
	return any;
}

static int get_limits(struct iommufd_ioas *ioas, struct limits *limits)
{
	if (!page_table_sizes(ioas, &limits->page_sizes))
		return expected_limits(limits);
	limits->ranges = iommufd_ioas_list_ranges(ioas, U32_MAX,
						  &limits->nr_ranges, NULL);
	return limits->ranges ? 0 : -ENOMEM;
}

/* Returns the chain, to be freed with kvfree(), or NULL if out of memory. */
static struct chain *make_chain(const struct limits *limits, size_t size)
{
	struct chain *chain;
	u32 i;

	chain = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!chain)
		return NULL;

	chain->avail.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	chain->avail.header.version = 1;
	chain->avail.header.next = sizeof(struct vfio_iommu_type1_info) +
				   offsetof(struct chain, iova);
	/* Memory is the only limit. */
	chain->avail.avail = U32_MAX;
	chain->iova.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	chain->iova.header.version = 1;
	chain->iova.nr_iovas = limits->nr_ranges;
	for (i = 0; i < limits->nr_ranges; i++) {
		chain->iova.iova_ranges[i].start = limits->ranges[i].start;
		chain->iova.iova_ranges[i].end = limits->ranges[i].last;
	}
	return chain;
}

/*
 * If page tables support smaller pages than the CPU, mappings still have the
 * granularity of the CPU's pages, so report these.
 */
static u64 usable_sizes(unsigned long sizes)
{
	if (sizes & ~PAGE_MASK)
		sizes = (sizes & PAGE_MASK) | PAGE_SIZE;
	return sizes;
}

/* Write as much as fits into the user's buffer; capabilities all or none. */
static int respond(void __user *arg, struct vfio_iommu_type1_info *info,
		   const struct chain *chain, size_t size)
{
	size_t room = info->argsz, head = min(room, sizeof(*info));

	info->argsz = sizeof(*info) + size;
	if (room >= info->argsz) {
		info->cap_offset = sizeof(*info);
		if (copy_to_user(arg + sizeof(*info), chain, size))
			return iommufd_fail_user(arg + sizeof(*info), size);
	}
	return copy_to_user(arg, info, head) ? iommufd_fail_user(arg, head) : 0;
}

/**
 * iommufd_vfio_get_info - implement VFIO_IOMMU_GET_INFO
 * @ctx: the context
 * @arg: the user's struct vfio_iommu_type1_info
 *
 * Return: 0, -EINVAL if the structure is too small, -ENODEV if the context has
 * no IOAS for type1 requests, -ENOMEM or -EFAULT.
 */
int iommufd_vfio_get_info(struct iommufd_ctx *ctx, void __user *arg)
{
	struct vfio_iommu_type1_info info = {};
	struct iommufd_ioas *ioas;
	struct limits limits;
	struct chain *chain;
	size_t size;
	int ret;

	if (copy_from_user(&info, arg, offsetofend(typeof(info), iova_pgsizes)))
		return iommufd_fail_user(arg, sizeof(info));
	if (info.argsz < offsetofend(typeof(info), iova_pgsizes))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_BAD_SIZE,
				    info.argsz,
				    offsetofend(typeof(info), iova_pgsizes));

	ioas = iommufd_vfio_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = get_limits(ioas, &limits);
	iommufd_object_put(ctx, &ioas->obj);
	if (ret)
		return ret;

	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = usable_sizes(limits.page_sizes);
	size = chain_size(limits.nr_ranges);
	chain = make_chain(&limits, size);
	ret = chain ? respond(arg, &info, chain, size) : -ENOMEM;
	kvfree(chain);
	kvfree(limits.ranges);
	return ret;
}
