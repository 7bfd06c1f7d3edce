// SPDX-License-Identifier: GPL-2.0-only
/*
 * The addresses that a container supports while no device is open in it. VFIO's
 * type1 derives them from the groups that were added to the container. VFIO
 * does not report these groups to a context, but they are a subset of the
 * groups that VFIO has: addresses that all devices of VFIO can use remain valid
 * when a device is opened.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "core/ctx.h"
#include "ioas/ioas.h"
#include "ioas/reserve.h"
#include "vfio/limits.h"

static const struct bus_type *const buses[] = {
#ifdef CONFIG_PCI
	&pci_bus_type,
#endif
	&platform_bus_type,
};

static int is_vfio(struct device *child, const void *unused)
{
	return child->class && !strcmp(child->class->name, "vfio-dev");
}

/*
 * Check if a device is bound to VFIO and behind an IOMMU. The caller must hold
 * the lock of the device.
 */
static bool can_be_opened(struct device *dev)
{
	struct device *child;

	if (!dev->driver || !dev->iommu || !dev->iommu->iommu_dev)
		return false;
	child = device_find_child(dev, NULL, is_vfio);
	put_device(child);
	return child;
}

static int limit_to_regions(struct iommufd_vfio_limits *limits,
			    struct device *dev)
{
	struct iommufd_msi_window window;
	LIST_HEAD(regions);
	int ret;

	iommu_get_resv_regions(dev, &regions);
	ret = iommufd_iova_map_reserve_regions(&limits->iovas, &regions, limits,
					       &window);
	iommu_put_resv_regions(dev, &regions);
	return ret;
}

/* Apply the limits of a page table for the device. */
static int limit_to_domain(struct iommufd_vfio_limits *limits,
			   struct device *dev)
{
	struct iommu_domain *domain = iommu_paging_domain_alloc(dev);
	int ret;

	/* The device then can't be opened either, so it does not matter. */
	if (IS_ERR(domain))
		return PTR_ERR(domain) == -ENOMEM ? -ENOMEM : 0;
	limits->page_sizes &= domain->pgsize_bitmap;
	ret = iommufd_iova_map_reserve_outside(&limits->iovas, domain, limits);
	iommu_domain_free(domain);
	return ret;
}

static int limit_to(struct device *dev, void *data)
{
	struct iommufd_vfio_limits *limits = data;
	int ret = 0;

	/*
	 * While it is locked, the device keeps its driver and its IOMMU. A
	 * device that is being unbound from VFIO stays locked until it is
	 * closed: don't wait for that.
	 */
	if (!device_trylock(dev))
		return 0;
	if (can_be_opened(dev)) {
		ret = limit_to_regions(limits, dev);
		if (!ret)
			ret = limit_to_domain(limits, dev);
	}
	device_unlock(dev);
	return ret;
}

/**
 * iommufd_vfio_limits_get - get the common limits of all devices of VFIO
 * @limits: set to the limits
 *
 * Release the result with iommufd_vfio_limits_put().
 *
 * Context: Process context. May sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_vfio_limits_get(struct iommufd_vfio_limits *limits)
{
	int ret = 0, i;

	iommufd_iova_map_init(&limits->iovas);
	limits->page_sizes = ULONG_MAX;
	for (i = 0; i < ARRAY_SIZE(buses) && !ret; i++)
		ret = bus_for_each_dev(buses[i], NULL, limits, limit_to);
	if (ret)
		iommufd_vfio_limits_put(limits);
	return ret;
}

/**
 * iommufd_vfio_limits_put - undo iommufd_vfio_limits_get()
 * @limits: the limits
 */
void iommufd_vfio_limits_put(struct iommufd_vfio_limits *limits)
{
	iommufd_iova_map_unreserve(&limits->iovas, limits);
}
