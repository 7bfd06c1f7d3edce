// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins memory of hugetlbfs by huge page: as each is mapped as a whole, its
 * first page is enough. Pinning by address would collect the struct page of
 * each small page and compare it with the next.
 */
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>

#include "pages/pin.h"

/**
 * iommufd_pin_hugetlb - pin a batch of huge pages
 * @pinning: the pinning, of memory of the current process
 * @flags: FOLL_*
 *
 * Stops at memory of another kind, at a page that can't be pinned, and at a
 * page whose fault must be waited for without mmap_lock (userfaultfd). Pinning
 * by address continues there, and reports the errors.
 *
 * Context: Takes mmap_lock for reading.
 * Return: 1 if any page was pinned, 0 if none, -EINTR if the caller was killed,
 * or an errno of iommufd_pinning_add_folio().
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
		/* Clearing takes long: let writers in after each page. */
		if (ret || mmap_lock_is_contended(mm))
			break;
	}
unlock:
	mmap_read_unlock(mm);
	return ret ?: pinning->index != first;
}
