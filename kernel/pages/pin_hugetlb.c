// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins user memory that is of hugetlbfs, by huge pages: they are mapped as a
 * whole, so that the first page tells of all. By address, the struct page of
 * each would be written down and compared with its neighbour's.
 */
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>

#include "pages/pin.h"

/**
 * iommufd_pin_hugetlb - pin a batch of huge pages
 * @pinning: where pinning is, in memory of the current process
 * @flags: FOLL_*
 *
 * It stops where memory is of another kind, can't be pinned, or is not there
 * and someone has to be waited for without the lock (userfaultfd): pinning by
 * address goes on there, and has the errors.
 *
 * Returns whether it has pinned any, or those of iommufd_pinning_add_folio().
 */
int iommufd_pin_hugetlb(struct iommufd_pinning *pinning, unsigned int flags)
{
	unsigned long first = pinning->index, start = pinning->pages->start;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long address, i;
	struct folio *folio;
	struct page *page;
	int ret = 0;

	ret = mmap_read_lock_killable(mm);
	if (ret)
		return ret;
	vma = vma_lookup(mm, start + first * PAGE_SIZE);
	if (!vma || !is_vm_hugetlb_page(vma))
		goto unlock;
	for (i = 0; i < pinning->capacity && pinning->index <= pinning->last;
	     i++) {
		address = start + pinning->index * PAGE_SIZE;
		if (address >= vma->vm_end ||
		    pin_user_pages(address, 1, flags, &page) != 1)
			break;
		folio = page_folio(page);
		ret = iommufd_pinning_add_folio(pinning, folio,
						folio_page_idx(folio, page));
		if (ret)
			unpin_user_page(page);
		/* Each page may have to be cleared: who changes the map waits for one. */
		if (ret || mmap_lock_is_contended(mm))
			break;
	}
unlock:
	mmap_read_unlock(mm);
	return ret ?: pinning->index != first;
}
