// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_IOMMU_GET_INFO: what a container can do, as a chain of capabilities.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "core/ctx.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "trace/fail.h"
#include "vfio/vfio.h"

/**
 * struct chain - the capabilities as the user gets them
 * @avail: how many mappings can be made
 * @pad: the next one is aligned
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

/* Returns the chain, to be kvfree()d, or ERR_PTR(-ENOMEM). */
static struct chain *make_chain(struct iommufd_ioas *ioas, size_t *size)
{
	struct iommu_iova_range *ranges;
	struct chain *chain;
	u32 nr_ranges, i;

	ranges = iommufd_ioas_list_ranges(ioas, U32_MAX, &nr_ranges, NULL);
	if (!ranges)
		return ERR_PTR(-ENOMEM);
	*size = chain_size(nr_ranges);
	chain = kvzalloc(*size, GFP_KERNEL_ACCOUNT);
	if (!chain) {
		kvfree(ranges);
		return ERR_PTR(-ENOMEM);
	}

	chain->avail.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	chain->avail.header.version = 1;
	chain->avail.header.next = sizeof(struct vfio_iommu_type1_info) +
				   offsetof(struct chain, iova);
	/* Memory is the only limit. */
	chain->avail.avail = U32_MAX;
	chain->iova.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	chain->iova.header.version = 1;
	chain->iova.nr_iovas = nr_ranges;
	for (i = 0; i < nr_ranges; i++) {
		chain->iova.iova_ranges[i].start = ranges[i].start;
		chain->iova.iova_ranges[i].end = ranges[i].last;
	}
	kvfree(ranges);
	return chain;
}

/*
 * The page sizes that all page tables have. Where they have smaller ones than
 * the CPU, the user can still map by the CPU's, and should.
 */
static u64 page_sizes(struct iommufd_ioas *ioas)
{
	unsigned long sizes = ULONG_MAX;
	struct iommufd_hwpt_paging *hwpt;

	down_read(&ioas->hwpts_rwsem);
	list_for_each_entry(hwpt, &ioas->hwpts, node)
		sizes &= hwpt->common.domain->pgsize_bitmap;
	up_read(&ioas->hwpts_rwsem);
	if (sizes & ~PAGE_MASK)
		sizes = (sizes & PAGE_MASK) | PAGE_SIZE;
	return sizes;
}

/* Write as much as the user has room for; capabilities all or none. */
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
 * iommufd_vfio_get_info - VFIO_IOMMU_GET_INFO
 * @ctx: the context
 * @arg: the user's struct vfio_iommu_type1_info
 *
 * Returns 0, -EINVAL if it is too small, -ENODEV if there is no IOAS, -ENOMEM
 * or -EFAULT.
 */
int iommufd_vfio_get_info(struct iommufd_ctx *ctx, void __user *arg)
{
	struct vfio_iommu_type1_info info = {};
	struct iommufd_ioas *ioas;
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
	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = page_sizes(ioas);
	chain = make_chain(ioas, &size);
	if (IS_ERR(chain)) {
		ret = PTR_ERR(chain);
	} else {
		ret = respond(arg, &info, chain, size);
		kvfree(chain);
	}
	iommufd_object_put(ctx, &ioas->obj);
	return ret;
}
