/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_PAGES_PIN_H
#define __IOMMUFD_PAGES_PIN_H

#include <linux/mm.h>

#include "pages/pages.h"

/**
 * struct iommufd_pinning - pages that are being pinned and added to the store
 * @pages: the pages, whose pin_lock is held
 * @builder: the block that pinned pages are added to
 * @index: the next index
 * @last: the last index
 * @batch: array for the pages or folios of a batch
 * @capacity: number of entries of @batch to use
 * @hugetlb: the last page was of hugetlbfs, so the next one may be too
 */
struct iommufd_pinning {
	struct iommufd_pages *pages;
	struct iommufd_block_builder builder;
	unsigned long index;
	unsigned long last;
	union {
		struct page **pages;
		struct folio **folios;
	} batch;
	unsigned long capacity;
	bool hugetlb;
};

int iommufd_pin_part(struct iommufd_pages *pages, unsigned long *index,
		     unsigned long last, u64 until_ns);
int iommufd_pin_blocks(struct iommufd_pages *pages, unsigned long *index,
		       unsigned long last,
		       const struct iommufd_requester *requester);
unsigned long iommufd_unpin_block(struct iommufd_pages *pages,
				  struct iommufd_block *block);

int iommufd_pinning_next_block(struct iommufd_pinning *pinning);

/* Add pinned pages of consecutive PFNs, which the caller keeps on failure. */
static __always_inline int
iommufd_pinning_add_run(struct iommufd_pinning *pinning, unsigned long pfn,
			unsigned long npages)
{
	int ret;

	while (!iommufd_builder_add(&pinning->builder, pfn, npages)) {
		ret = iommufd_pinning_next_block(pinning);
		if (ret)
			return ret;
	}
	pinning->index += npages;
	return 0;
}

/**
 * iommufd_pinning_add_folio - add pages of a folio that has one pin
 * @pinning: the pinning
 * @folio: the folio, which contains the page at the current index
 * @skip: number of pages of the folio before that page
 *
 * As pages may be unpinned one by one, each gets a pin of its own.
 *
 * Return: 0, -ENOMEM, or the errno of folio_add_pins(). On failure the caller
 * keeps the one pin.
 */
static __always_inline int
iommufd_pinning_add_folio(struct iommufd_pinning *pinning, struct folio *folio,
			  unsigned long skip)
{
	unsigned long npages = min(folio_nr_pages(folio) - skip,
				   pinning->last - pinning->index + 1);
	int ret;

	ret = npages > 1 ? folio_add_pins(folio, npages - 1) : 0;
	if (ret)
		return ret;
	ret = iommufd_pinning_add_run(pinning, folio_pfn(folio) + skip, npages);
	if (ret && npages > 1)
		unpin_user_folio(folio, npages - 1);
	return ret;
}

/* pages/pin_parallel.c */
#ifdef CONFIG_VHOST_TASK
bool iommufd_pin_has_helpers(void);
void iommufd_pin_parallel(struct iommufd_pages *pages, unsigned long *index,
			  unsigned long last,
			  const struct iommufd_requester *requester);
#else
static inline bool iommufd_pin_has_helpers(void)
{
	return false;
}

static inline void
iommufd_pin_parallel(struct iommufd_pages *pages, unsigned long *index,
		     unsigned long last,
		     const struct iommufd_requester *requester)
{
}
#endif

/* pages/pin_va.c */
int iommufd_pin_va(struct iommufd_pinning *pinning);

/* pages/pin_hugetlb.c */
int iommufd_pin_hugetlb(struct iommufd_pinning *pinning, unsigned int flags);

/* pages/pin_memfd.c */
int iommufd_pin_memfd(struct iommufd_pinning *pinning);

#endif
