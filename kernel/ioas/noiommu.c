// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices without an IOMMU do DMA to physical addresses. This reports the
 * physical addresses of mapped memory to user space. They are valid until the
 * memory is unmapped, or the last such device is detached from the IOAS.
 * Nothing restricts a device to them.
 */
#include <linux/capability.h>
#include <linux/iommu.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "domain/domain.h"
#include "domain/noiommu.h"
#include "ioas/ioas.h"
#include "ioas/range_ref.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"
#include "trace/fail.h"

/* Whether a device without an IOMMU is attached, so that areas are pinned. */
static bool serves_noiommu(struct iommufd_ioas *ioas)
{
	struct iommufd_domain *domain;

	lockdep_assert_held(&ioas->domains_rwsem);

	list_for_each_entry(domain, &ioas->domains, node)
		if (iommufd_is_noiommu_domain(domain->iommu))
			return true;
	return false;
}

/* Returns the number of contiguous bytes, at most those of the part, or 0. */
static u64 memory_address(const struct iommufd_area_part *part, u64 *phys)
{
	struct iommufd_pages *pages = part->area->pages;
	unsigned long skip = offset_in_page(iommufd_area_offset(part->area,
								part->iova));
	unsigned long pfn = 0, npages = 0;
	struct iommufd_run_iter iter;

	mutex_lock(&pages->lock);
	iommufd_for_each_run(&iter, &pages->blocks, iommufd_part_first(part),
			     iommufd_part_last(part)) {
		if (!npages)
			pfn = iter.run.pfn;
		else if (iter.run.pfn != pfn + npages)
			break;
		npages += iter.run.npages;
	}
	mutex_unlock(&pages->lock);
	if (WARN_ON(!npages))
		return 0;
	*phys = PFN_PHYS(pfn) + skip;
	return min(PFN_PHYS((u64)npages) - skip, part->last - part->iova + 1);
}

static u64 dmabuf_address(const struct iommufd_area_part *part, u64 *phys)
{
	struct iommufd_pages *pages = part->area->pages;

	if (iommufd_dmabuf_check(pages->dmabuf))
		return 0;
	*phys = pages->start + iommufd_area_offset(part->area, part->iova);
	return part->last - part->iova + 1;
}

static int get_address(struct iommufd_ioas *ioas, unsigned long iova,
		       u64 *length, u64 *phys)
{
	struct iommufd_area_part part;
	struct iommufd_range_ref ref;
	u64 contiguous = 0;
	int ret;

	lockdep_assert_held(&ioas->domains_rwsem);

	ret = iommufd_ioas_get_range(ioas, iova, iova, 0, &ref, &part);
	if (ret)
		return ret;
	if (!serves_noiommu(ioas)) {
		ret = iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_NO_PHYS, iova,
				   0);
	} else {
		/* The reference keeps the whole area. */
		part.last = part.area->last;
		contiguous = iommufd_pages_are_memory(part.area->pages) ?
				     memory_address(&part, phys) :
				     dmabuf_address(&part, phys);
		ret = contiguous ? 0 :
				   iommufd_fail(-ENOENT,
						IOMMUFD_REASON_DMABUF_REVOKED,
						0, 0);
	}
	iommufd_ioas_put_range(ioas, &ref);
	*length = min(*length, contiguous);
	return ret;
}

int iommufd_cmd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_noiommu_get_pa *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int ret;

	if (!IS_ENABLED(CONFIG_IOMMUFD_NOIOMMU))
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_NO_PHYS,
				    cmd->iova, 0);
	if (cmd->flags)
		return iommufd_fail_flags(cmd->flags, 0);
	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);
	if (!capable(CAP_SYS_RAWIO))
		return iommufd_fail(-EPERM, IOMMUFD_REASON_NO_CAPABILITY,
				    CAP_SYS_RAWIO, 0);
	if (!cmd->length)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_ZERO_LENGTH, 0, 0);
	if (cmd->iova >= ULONG_MAX)
		return iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW,
				    cmd->iova, cmd->length);

	ioas = iommufd_ioas_get(ucmd->ctx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = down_read_killable(&ioas->domains_rwsem);
	if (!ret) {
		ret = get_address(ioas, cmd->iova, &cmd->length,
				  &cmd->out_phys);
		up_read(&ioas->domains_rwsem);
	}
	iommufd_object_put(ucmd->ctx, &ioas->obj);
	return ret ?: iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}
