// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that mapping memory for a device takes: pin the pages, find those
 * that are contiguous, map each such run, remember the runs. To unmap: clear
 * the page table, flush the IOTLB, unpin. There are no objects, no areas, no
 * accounting and hardly a check: load it for benchmarks only.
 */
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/memfd.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "floor.h"

#define BATCH SZ_4K
#define PROT  (IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

/**
 * struct floor_run - pages that are physically contiguous
 * @page: the first one
 * @npages: number of pages
 * @folios: pinned once per folio, as by memfd_pin_folios(), not once per page
 */
struct floor_run {
	struct page *page;
	u32 npages;
	bool folios;
};

/**
 * struct floor - an open file
 * @dev: the device
 * @domain: the domain to which it is attached
 * @runs: the mapped runs, in the order of mapping
 * @nruns: number of runs
 * @max_runs: room in @runs
 * @pages: pages of a batch
 * @folios: folios of a batch
 */
struct floor {
	/** @lock: one request at a time */
	struct mutex lock;
	struct device *dev;
	struct iommu_domain *domain;
	struct floor_run *runs;
	unsigned long nruns;
	unsigned long max_runs;
	struct page **pages;
	struct folio **folios;
};

static void unpin_folios_of(const struct floor_run *run)
{
	struct page *page = run->page;
	unsigned long left = run->npages;

	while (left) {
		struct folio *folio = page_folio(page);
		unsigned long n =
			min(left, folio_nr_pages(folio) -
					  folio_page_idx(folio, page));

		unpin_folio(folio);
		page += n;
		left -= n;
	}
}

static void unpin_run(const struct floor_run *run)
{
	if (run->folios)
		unpin_folios_of(run);
	else
		unpin_user_page_range_dirty_lock(run->page, run->npages, true);
}

/* Adds pages to the last run if it is not before @first, or begins another. */
static int remember(struct floor *floor, unsigned long first, struct page *page,
		    unsigned long npages, bool folios)
{
	struct floor_run *run = &floor->runs[floor->nruns - 1];

	if (floor->nruns > first && run->page + run->npages == page) {
		run->npages += npages;
		return 0;
	}
	if (floor->nruns == floor->max_runs)
		return -ENOSPC;
	floor->runs[floor->nruns++] = (struct floor_run){
		.page = page,
		.npages = npages,
		.folios = folios,
	};
	return 0;
}

/*
 * The number of contiguous pages, at least one. Mapping several at a time is
 * cheaper.
 */
static long run_length(struct page **pages, long npages)
{
	struct page *page = *pages;
	long n = 1;

	while (n + 4 <= npages && pages[n] == page + n &&
	       pages[n + 1] == page + n + 1 && pages[n + 2] == page + n + 2 &&
	       pages[n + 3] == page + n + 3)
		n += 4;
	while (n < npages && pages[n] == page + n)
		n++;
	return n;
}

/* Unpins pages that did not get into a run; the caller undoes the runs. */
static long pin_va(struct floor *floor, unsigned long first,
		   unsigned long start, unsigned long npages)
{
	struct page **pages = floor->pages;
	long i, n, pinned;

	pinned = pin_user_pages_fast(start, min(npages, BATCH),
				     FOLL_LONGTERM | FOLL_WRITE, pages);
	if (pinned <= 0)
		return pinned ?: -EFAULT;
	for (i = 0; i < pinned; i += n) {
		n = run_length(pages + i, pinned - i);
		if (remember(floor, first, pages[i], n, false)) {
			unpin_user_pages(pages + i, pinned - i);
			return -ENOSPC;
		}
	}
	return pinned;
}

static long pin_file(struct floor *floor, unsigned long first,
		     struct file *file, loff_t start, unsigned long npages)
{
	loff_t last = start + ((loff_t)npages << PAGE_SHIFT) - 1;
	unsigned long done = 0;
	pgoff_t offset;
	long i, n;

	n = memfd_pin_folios(file, start, last, floor->folios, BATCH, &offset);
	if (n <= 0)
		return n ?: -EFAULT;
	offset >>= PAGE_SHIFT;
	for (i = 0; i < n; i++) {
		struct folio *folio = floor->folios[i];
		unsigned long count =
			min(folio_nr_pages(folio) - offset, npages - done);

		if (remember(floor, first, folio_page(folio, offset), count,
			     true)) {
			unpin_folios(floor->folios + i, n - i);
			return -ENOSPC;
		}
		done += count;
		offset = 0;
	}
	return done;
}

static int pin_all(struct floor *floor, const struct floor_map *map,
		   struct file *file)
{
	unsigned long npages = map->length >> PAGE_SHIFT;
	unsigned long first = floor->nruns, done = 0;
	long n;

	while (done < npages) {
		u64 offset = (u64)done << PAGE_SHIFT;

		if (file)
			n = pin_file(floor, first, file, offset, npages - done);
		else
			n = pin_va(floor, first, map->user_va + offset,
				   npages - done);
		if (n < 0)
			return n;
		done += n;
	}
	return 0;
}

/* Removes the runs from @first on, whose first @mapped bytes are mapped. */
static void undo(struct floor *floor, unsigned long first, unsigned long iova,
		 size_t mapped)
{
	struct iommu_iotlb_gather gather;
	unsigned long i;

	if (mapped) {
		iommu_iotlb_gather_init(&gather);
		iommu_unmap_fast(floor->domain, iova, mapped, &gather);
		iommu_iotlb_sync(floor->domain, &gather);
	}
	for (i = first; i < floor->nruns; i++)
		unpin_run(&floor->runs[i]);
	floor->nruns = first;
}

static int map_runs(struct floor *floor, unsigned long first,
		    unsigned long iova, size_t *mapped)
{
	unsigned long i;
	int ret;

	for (i = first; i < floor->nruns; i++) {
		const struct floor_run *run = &floor->runs[i];
		size_t size = (size_t)run->npages << PAGE_SHIFT;

		ret = iommu_map(floor->domain, iova + *mapped,
				page_to_phys(run->page), size, PROT,
				GFP_KERNEL_ACCOUNT);
		if (ret)
			return ret;
		*mapped += size;
	}
	return 0;
}

static int map(struct floor *floor, const struct floor_map *map)
{
	unsigned long first = floor->nruns;
	struct file *file = NULL;
	size_t mapped = 0;
	int ret;

	if (map->fd >= 0) {
		file = fget(map->fd);
		if (!file)
			return -EBADF;
	}
	ret = pin_all(floor, map, file);
	if (!ret)
		ret = map_runs(floor, first, map->iova, &mapped);
	if (ret)
		undo(floor, first, map->iova, mapped);
	if (file)
		fput(file);
	return ret;
}

static int unmap(struct floor *floor, const struct floor_unmap *unmap)
{
	unsigned long left = unmap->length >> PAGE_SHIFT;
	unsigned long first = floor->nruns;

	while (left) {
		if (!first || floor->runs[first - 1].npages > left)
			return -EINVAL;
		left -= floor->runs[--first].npages;
	}
	undo(floor, first, unmap->iova, unmap->length);
	return 0;
}

static int attach_domain(struct floor *floor, struct device *dev)
{
	struct iommu_domain *domain;
	int ret;

	ret = iommu_device_claim_dma_owner(dev, floor);
	if (ret)
		return ret;
	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain)) {
		ret = PTR_ERR(domain);
		goto err_release;
	}
	ret = iommu_attach_device(domain, dev);
	if (ret)
		goto err_free;
	floor->domain = domain;
	floor->dev = dev;
	return 0;

err_free:
	iommu_domain_free(domain);
err_release:
	iommu_device_release_dma_owner(dev);
	return ret;
}

/* After an error, the buffers are freed with the file. */
static int attach(struct floor *floor, struct floor_attach *attach)
{
	struct device *dev;
	int ret;

	if (floor->runs)
		return -EBUSY;
	floor->pages = kvmalloc_array(BATCH, sizeof(*floor->pages), GFP_KERNEL);
	floor->folios =
		kvmalloc_array(BATCH, sizeof(*floor->folios), GFP_KERNEL);
	floor->runs =
		kvmalloc_array(attach->runs, sizeof(*floor->runs), GFP_KERNEL);
	if (!floor->pages || !floor->folios || !floor->runs)
		return -ENOMEM;
	floor->max_runs = attach->runs;

	attach->address[sizeof(attach->address) - 1] = '\0';
	dev = bus_find_device_by_name(&pci_bus_type, NULL, attach->address);
	if (!dev)
		return -ENODEV;
	ret = attach_domain(floor, dev);
	if (ret)
		put_device(dev);
	return ret;
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct floor *floor = file->private_data;
	union {
		struct floor_attach attach;
		struct floor_map map;
		struct floor_unmap unmap;
	} request;
	int ret;

	if (_IOC_SIZE(cmd) > sizeof(request))
		return -ENOTTY;
	if (copy_from_user(&request, (void __user *)arg, _IOC_SIZE(cmd)))
		return -EFAULT;

	mutex_lock(&floor->lock);
	if (cmd == FLOOR_ATTACH)
		ret = attach(floor, &request.attach);
	else if (!floor->domain)
		ret = -ENODEV;
	else if (cmd == FLOOR_MAP)
		ret = map(floor, &request.map);
	else if (cmd == FLOOR_UNMAP)
		ret = unmap(floor, &request.unmap);
	else
		ret = -ENOTTY;
	mutex_unlock(&floor->lock);
	return ret;
}

static int floor_open(struct inode *inode, struct file *file)
{
	struct floor *floor;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	floor = kzalloc_obj(*floor);
	if (!floor)
		return -ENOMEM;
	mutex_init(&floor->lock);
	file->private_data = floor;
	return 0;
}

/* Once detached, the device reaches nothing: no need to unmap. */
static int floor_release(struct inode *inode, struct file *file)
{
	struct floor *floor = file->private_data;

	if (floor->domain) {
		iommu_detach_device(floor->domain, floor->dev);
		iommu_device_release_dma_owner(floor->dev);
		put_device(floor->dev);
		iommu_domain_free(floor->domain);
	}
	undo(floor, 0, 0, 0);
	kvfree(floor->runs);
	kvfree(floor->folios);
	kvfree(floor->pages);
	mutex_destroy(&floor->lock);
	kfree(floor);
	return 0;
}

static const struct file_operations floor_fops = {
	.owner = THIS_MODULE,
	.open = floor_open,
	.release = floor_release,
	.unlocked_ioctl = floor_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice floor_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommufd_floor",
	.fops = &floor_fops,
	.mode = 0600,
};

module_misc_device(floor_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The least that mapping memory for a device takes");
