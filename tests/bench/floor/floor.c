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

#define BATCH	  SZ_4K
#define MAX_LANES 64
#define PROT	  (IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

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
 * struct floor_lane - mappings of one thread
 * @domain: the domain of the file
 * @runs: the mapped runs, in the order of mapping
 * @nruns: number of runs
 * @max_runs: room in @runs
 * @pages: pages of a batch
 * @folios: folios of a batch
 */
struct floor_lane {
	/** @lock: one request at a time */
	struct mutex lock;
	struct iommu_domain *domain;
	struct floor_run *runs;
	unsigned long nruns;
	unsigned long max_runs;
	struct page **pages;
	struct folio **folios;
} ____cacheline_aligned_in_smp;

/**
 * struct floor - an open file
 * @dev: the device
 * @domain: the domain to which it is attached
 * @lanes: mappings that don't wait for each other
 * @nlanes: number of @lanes. Set once everything else is
 */
struct floor {
	/** @lock: protects the attach */
	struct mutex lock;
	struct device *dev;
	struct iommu_domain *domain;
	struct floor_lane *lanes;
	unsigned int nlanes;
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
static int remember(struct floor_lane *lane, unsigned long first,
		    struct page *page, unsigned long npages, bool folios)
{
	struct floor_run *run = &lane->runs[lane->nruns - 1];

	if (lane->nruns > first && run->page + run->npages == page) {
		run->npages += npages;
		return 0;
	}
	if (lane->nruns == lane->max_runs)
		return -ENOSPC;
	lane->runs[lane->nruns++] = (struct floor_run){
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
static long pin_va(struct floor_lane *lane, unsigned long first,
		   unsigned long start, unsigned long npages)
{
	struct page **pages = lane->pages;
	long i, n, pinned;

	pinned = pin_user_pages_fast(start, min(npages, BATCH),
				     FOLL_LONGTERM | FOLL_WRITE, pages);
	if (pinned <= 0)
		return pinned ?: -EFAULT;
	for (i = 0; i < pinned; i += n) {
		n = run_length(pages + i, pinned - i);
		if (remember(lane, first, pages[i], n, false)) {
			unpin_user_pages(pages + i, pinned - i);
			return -ENOSPC;
		}
	}
	return pinned;
}

static long pin_file(struct floor_lane *lane, unsigned long first,
		     struct file *file, loff_t start, unsigned long npages)
{
	loff_t last = start + ((loff_t)npages << PAGE_SHIFT) - 1;
	unsigned long done = 0;
	pgoff_t offset;
	long i, n;

	n = memfd_pin_folios(file, start, last, lane->folios, BATCH, &offset);
	if (n <= 0)
		return n ?: -EFAULT;
	offset >>= PAGE_SHIFT;
	for (i = 0; i < n; i++) {
		struct folio *folio = lane->folios[i];
		unsigned long count =
			min(folio_nr_pages(folio) - offset, npages - done);

		if (remember(lane, first, folio_page(folio, offset), count,
			     true)) {
			unpin_folios(lane->folios + i, n - i);
			return -ENOSPC;
		}
		done += count;
		offset = 0;
	}
	return done;
}

static int pin_all(struct floor_lane *lane, const struct floor_map *map,
		   struct file *file)
{
	unsigned long npages = map->length >> PAGE_SHIFT;
	unsigned long first = lane->nruns, done = 0;
	long n;

	while (done < npages) {
		u64 offset = (u64)done << PAGE_SHIFT;

		if (file)
			n = pin_file(lane, first, file, offset, npages - done);
		else
			n = pin_va(lane, first, map->user_va + offset,
				   npages - done);
		if (n < 0)
			return n;
		done += n;
	}
	return 0;
}

/* Removes the runs from @first on, whose first @mapped bytes are mapped. */
static void undo(struct floor_lane *lane, unsigned long first,
		 unsigned long iova, size_t mapped)
{
	struct iommu_iotlb_gather gather;
	unsigned long i;

	if (mapped) {
		iommu_iotlb_gather_init(&gather);
		iommu_unmap_fast(lane->domain, iova, mapped, &gather);
		iommu_iotlb_sync(lane->domain, &gather);
	}
	for (i = first; i < lane->nruns; i++)
		unpin_run(&lane->runs[i]);
	lane->nruns = first;
}

static int map_runs(struct floor_lane *lane, unsigned long first,
		    unsigned long iova, size_t *mapped)
{
	unsigned long i;
	int ret;

	for (i = first; i < lane->nruns; i++) {
		const struct floor_run *run = &lane->runs[i];
		size_t size = (size_t)run->npages << PAGE_SHIFT;

		ret = iommu_map(lane->domain, iova + *mapped,
				page_to_phys(run->page), size, PROT,
				GFP_KERNEL_ACCOUNT);
		if (ret)
			return ret;
		*mapped += size;
	}
	return 0;
}

static int map(struct floor_lane *lane, const struct floor_map *map)
{
	unsigned long first = lane->nruns;
	struct file *file = NULL;
	size_t mapped = 0;
	int ret;

	if (map->fd >= 0) {
		file = fget(map->fd);
		if (!file)
			return -EBADF;
	}
	ret = pin_all(lane, map, file);
	if (!ret)
		ret = map_runs(lane, first, map->iova, &mapped);
	if (ret)
		undo(lane, first, map->iova, mapped);
	if (file)
		fput(file);
	return ret;
}

static int unmap(struct floor_lane *lane, const struct floor_unmap *unmap)
{
	unsigned long left = unmap->length >> PAGE_SHIFT;
	unsigned long first = lane->nruns;

	while (left) {
		if (!first || lane->runs[first - 1].npages > left)
			return -EINVAL;
		left -= lane->runs[--first].npages;
	}
	undo(lane, first, unmap->iova, unmap->length);
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

static void free_lanes(struct floor_lane *lanes, unsigned int n)
{
	struct floor_lane *lane;

	for (lane = lanes; lane < lanes + n; lane++) {
		undo(lane, 0, 0, 0);
		kvfree(lane->runs);
		kvfree(lane->folios);
		kvfree(lane->pages);
		mutex_destroy(&lane->lock);
	}
	kvfree(lanes);
}

static int init_lane(struct floor_lane *lane, unsigned long runs)
{
	mutex_init(&lane->lock);
	lane->pages = kvmalloc_array(BATCH, sizeof(*lane->pages), GFP_KERNEL);
	lane->folios = kvmalloc_array(BATCH, sizeof(*lane->folios), GFP_KERNEL);
	lane->runs = kvmalloc_array(runs, sizeof(*lane->runs), GFP_KERNEL);
	lane->max_runs = runs;
	return lane->pages && lane->folios && lane->runs ? 0 : -ENOMEM;
}

static struct floor_lane *alloc_lanes(const struct floor_attach *attach)
{
	struct floor_lane *lanes;
	unsigned int i;

	if (!attach->lanes || attach->lanes > MAX_LANES)
		return ERR_PTR(-EINVAL);
	lanes = kvzalloc_objs(*lanes, attach->lanes);
	if (!lanes)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < attach->lanes; i++) {
		if (init_lane(&lanes[i], attach->runs)) {
			free_lanes(lanes, i + 1);
			return ERR_PTR(-ENOMEM);
		}
	}
	return lanes;
}

static int attach_device(struct floor *floor, struct floor_attach *attach)
{
	struct device *dev;
	int ret;

	attach->address[sizeof(attach->address) - 1] = '\0';
	dev = bus_find_device_by_name(&pci_bus_type, NULL, attach->address);
	if (!dev)
		return -ENODEV;
	ret = attach_domain(floor, dev);
	if (ret)
		put_device(dev);
	return ret;
}

static int attach(struct floor *floor, struct floor_attach *attach)
{
	struct floor_lane *lanes;
	unsigned int i;
	int ret;

	lockdep_assert_held(&floor->lock);

	if (floor->lanes)
		return -EBUSY;
	lanes = alloc_lanes(attach);
	if (IS_ERR(lanes))
		return PTR_ERR(lanes);
	ret = attach_device(floor, attach);
	if (ret) {
		free_lanes(lanes, attach->lanes);
		return ret;
	}
	for (i = 0; i < attach->lanes; i++)
		lanes[i].domain = floor->domain;
	floor->lanes = lanes;
	/* Pairs with get_lane(), which takes no lock. */
	smp_store_release(&floor->nlanes, attach->lanes);
	return 0;
}

static struct floor_lane *get_lane(struct floor *floor, u32 lane)
{
	/* Pairs with attach(): the lanes are complete. */
	return lane < smp_load_acquire(&floor->nlanes) ? &floor->lanes[lane] :
							 NULL;
}

static int floor_map(struct floor *floor, const struct floor_map *request)
{
	struct floor_lane *lane = get_lane(floor, request->lane);
	int ret;

	if (!lane)
		return -ENODEV;
	mutex_lock(&lane->lock);
	ret = map(lane, request);
	mutex_unlock(&lane->lock);
	return ret;
}

static int floor_unmap(struct floor *floor, const struct floor_unmap *request)
{
	struct floor_lane *lane = get_lane(floor, request->lane);
	int ret;

	if (!lane)
		return -ENODEV;
	mutex_lock(&lane->lock);
	ret = unmap(lane, request);
	mutex_unlock(&lane->lock);
	return ret;
}

static int floor_attach(struct floor *floor, struct floor_attach *request)
{
	int ret;

	mutex_lock(&floor->lock);
	ret = attach(floor, request);
	mutex_unlock(&floor->lock);
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

	if (_IOC_SIZE(cmd) > sizeof(request))
		return -ENOTTY;
	if (copy_from_user(&request, (void __user *)arg, _IOC_SIZE(cmd)))
		return -EFAULT;

	switch (cmd) {
	case FLOOR_ATTACH:
		return floor_attach(floor, &request.attach);
	case FLOOR_MAP:
		return floor_map(floor, &request.map);
	case FLOOR_UNMAP:
		return floor_unmap(floor, &request.unmap);
	default:
		return -ENOTTY;
	}
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
	free_lanes(floor->lanes, floor->nlanes);
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
