// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins the folios of a memfd.
 */
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>

#include "pages/pin.h"
#include "trace/fail.h"

static int explain_file(const struct iommufd_pages *pages, loff_t start,
			loff_t end, int error)
{
	loff_t size = i_size_read(file_inode(pages->file));

	if (error == -EINTR || error == -ENOMEM)
		return error;
	if (end >= size)
		return iommufd_fail(error, IOMMUFD_REASON_FILE_END, end, size);
	return iommufd_fail(error, IOMMUFD_REASON_NOT_PINNABLE, start, -error);
}

/*
 * The last possible end of a batch that begins at @start. Pages that are not in
 * the file yet are allocated and cleared, and SIGKILL takes effect only between
 * two batches. So a batch is one huge page, or more if the file has no holes.
 */
static loff_t batch_end(struct file *file, u64 start, loff_t end)
{
	struct inode *inode = file_inode(file);
	u64 pages = READ_ONCE(file->f_mapping->nrpages);
	u64 unit = PMD_SIZE;

	if (pages * PAGE_SIZE >= i_size_read(inode))
		unit = SZ_1G;
	if (is_file_hugepages(file))
		unit = max(unit, huge_page_size(hstate_file(file)));
	return min_t(u64, ALIGN(start + 1, unit) - 1, end);
}

/*
 * Add folios that have one pin each. As pages may be unpinned one by one, each
 * page gets a pin of its own. On failure, unpins what is not in the store.
 */
static int add_folios(struct iommufd_pinning *pinning, struct folio **folios,
		      long nr_folios, unsigned long skip)
{
	unsigned long left = pinning->last - pinning->index + 1;
	unsigned long pfn, part, first = 0, npages = 0;
	int ret = 0;
	long i;

	for (i = 0; i < nr_folios; i++) {
		part = min(folio_nr_pages(folios[i]) - skip, left);
		pfn = folio_pfn(folios[i]) + skip;
		if (npages && (pfn != first + npages ||
			       iommufd_memmap_breaks(pfn))) {
			ret = iommufd_pinning_add_run(pinning, first, npages);
			if (ret)
				break;
			npages = 0;
		}
		if (part > 1)
			ret = folio_add_pins(folios[i], part - 1);
		if (ret)
			break;
		if (!npages)
			first = pfn;
		npages += part;
		left -= part;
		skip = 0;
	}
	if (!ret)
		ret = iommufd_pinning_add_run(pinning, first, npages);
	if (!ret)
		return 0;
	if (npages)
		unpin_user_page_range_dirty_lock(pfn_to_page(first), npages,
						 false);
	unpin_folios(folios + i, nr_folios - i);
	return ret;
}

/**
 * iommufd_pin_memfd - pin a batch of folios of a file
 * @pinning: the pinning
 *
 * The folios come straight from the page cache, without a page table.
 *
 * Return: 0, -ENOMEM, or the errno of the pinning: -EINVAL beyond the end of
 * the file.
 */
int iommufd_pin_memfd(struct iommufd_pinning *pinning)
{
	struct iommufd_pages *pages = pinning->pages;
	loff_t start = pages->start + pinning->index * PAGE_SIZE;
	loff_t end = pages->start + pinning->last * PAGE_SIZE + PAGE_SIZE - 1;
	struct folio **folios = pinning->batch.folios;
	long nr_folios;
	pgoff_t skip;
	int ret;

	if (end >= i_size_read(file_inode(pages->file)))
		return explain_file(pages, start, end, -EINVAL);
	nr_folios = memfd_pin_folios(pages->file, start,
				     batch_end(pages->file, start, end),
				     folios, pinning->capacity, &skip);
	if (nr_folios <= 0) {
		ret = nr_folios ?: -EFAULT;
		return explain_file(pages, start, end, ret);
	}

	return add_folios(pinning, folios, nr_folios, skip >> PAGE_SHIFT);
}
