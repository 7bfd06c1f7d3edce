// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that hardware accesses by its physical address. No driver can be asked
 * to stop that, so the memory can't be unmapped until it is unpinned.
 */
#include <linux/iommu.h>

#include "ioas/access_pages.h"
#include "ioas/ioas.h"
#include "ioas/pin_phys.h"
#include "ioas/range_ref.h"
#include "pages/pages.h"
#include "trace/fail.h"

/* The end of a range of which no page has been seen yet. */
#define NOWHERE	PHYS_ADDR_MAX

/*
 * Whether a part, which is pinned, is physically contiguous and begins where
 * the part before it ends (@end). Sets @end to where this part ends.
 */
static bool follows(const struct iommufd_area_part *part, phys_addr_t *end)
{
	unsigned long offset = iommufd_area_offset(part->area, part->iova);
	phys_addr_t next = *end, start = NOWHERE, phys;
	struct iommufd_run_iter iter;

	iommufd_for_each_run(&iter, &part->area->pages->blocks,
			     iommufd_part_first(part),
			     iommufd_part_last(part)) {
		phys = PFN_PHYS(iter.run.pfn);
		if (start == NOWHERE) {
			phys += offset_in_page(offset);
			start = phys;
		}
		if (next != NOWHERE && phys != next)
			return false;
		next = PFN_PHYS(iter.run.pfn + iter.run.npages);
	}
	*end = start + (part->last - part->iova) + 1;
	return true;
}

/* Physical address of a pinned range, which must be contiguous. */
static int find_phys(struct iommufd_ioas *ioas, unsigned long iova,
		     unsigned long last, phys_addr_t *phys)
{
	struct iommufd_area_part part = iommufd_ioas_first_part(ioas, iova,
								last);
	phys_addr_t end = NOWHERE;
	bool ok;

	do {
		mutex_lock(&part.area->pages->lock);
		ok = follows(&part, &end);
		mutex_unlock(&part.area->pages->lock);
	} while (ok && iommufd_ioas_next_part(ioas, &part, last));
	*phys = end - (last - iova) - 1;
	return ok ? 0 :
		    iommufd_fail(-EFAULT, IOMMUFD_REASON_NOT_CONTIGUOUS, iova,
				 last - iova + 1);
}

/* Whether no area of a range is being unmapped. */
static bool all_mapped(struct iommufd_ioas *ioas, unsigned long iova,
		       unsigned long last)
{
	struct iommufd_area *area;

	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last)
		if (iommufd_area_state(area) != IOMMUFD_AREA_MAPPED)
			return false;
	return true;
}

/**
 * iommufd_ioas_pin_phys - pin a range at its physical address
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 * @phys: set to the physical address of the first byte
 *
 * An unmap of the range fails until iommufd_ioas_unpin_phys() is called.
 *
 * Return: 0, -ENOENT if a part of the range is not mapped, -EPERM if it is not
 * mapped for reading and writing, -EFAULT if it is not physically contiguous or
 * its memory is not accessible, -EINVAL if it is not memory, or another errno
 * of the pinning, such as -ENOMEM.
 */
int iommufd_ioas_pin_phys(struct iommufd_ioas *ioas, unsigned long iova,
			  unsigned long last, phys_addr_t *phys)
{
	struct iommufd_area *area;
	bool mapped;
	int ret;

	/* No page table restricts the hardware: require all rights. */
	ret = iommufd_ioas_pin(ioas, iova, last, IOMMU_READ | IOMMU_WRITE,
			       NULL);
	if (ret)
		return ret;
	ret = find_phys(ioas, iova, last, phys);
	if (ret)
		goto unpin;

	/* An unmap that has already begun waits for these pins. */
	mutex_lock(&ioas->iova_lock);
	mapped = all_mapped(ioas, iova, last);
	if (mapped)
		iommufd_iova_map_for_each(area, &ioas->iovas, iova, last)
			area->phys_pins++;
	mutex_unlock(&ioas->iova_lock);
	if (mapped)
		return 0;
	ret = iommufd_fail(-ENOENT, IOMMUFD_REASON_NOT_MAPPED, iova,
			   last - iova + 1);
unpin:
	iommufd_ioas_unpin(ioas, iova, last);
	return ret;
}

/**
 * iommufd_ioas_unpin_phys - undo iommufd_ioas_pin_phys()
 * @ioas: the IOAS
 * @iova: first address
 * @last: last address
 */
void iommufd_ioas_unpin_phys(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last)
{
	struct iommufd_area *area;

	mutex_lock(&ioas->iova_lock);
	iommufd_iova_map_for_each(area, &ioas->iovas, iova, last)
		area->phys_pins--;
	mutex_unlock(&ioas->iova_lock);
	iommufd_ioas_unpin(ioas, iova, last);
}
