// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The backend that uses a container of VFIO type1. It has one page table for
 * all devices behind the same kind of IOMMU.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

#define ENTRY_LIMIT "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"

static int container = -1, group = -1;

static void type1_open(unsigned int tables)
{
	struct device device;

	if (tables > 1)
		fail("type1 has one page table");
	device_get(0, &device);
	container = open_file("/dev/vfio/vfio", O_RDWR);
	group = open_file(device.group, O_RDWR);
	CONTROL(group, VFIO_GROUP_SET_CONTAINER, &container);
	/* This loads the module, which then has the parameter. */
	if (ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		fail("this kernel has no VFIO type1");
	write_file(ENTRY_LIMIT, "4294967295");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		fail("VFIO_SET_IOMMU: %m");
}

static void type1_close(void)
{
	if (group >= 0)
		close(group);
	if (container >= 0)
		close(container);
	group = container = -1;
}

static void type1_map(void *address, uint64_t iova, size_t length)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)address,
		.iova = iova,
		.size = length,
	};

	CONTROL(container, VFIO_IOMMU_MAP_DMA, &map);
}

static void type1_unmap(uint64_t iova, size_t length)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = length,
	};

	CONTROL(container, VFIO_IOMMU_UNMAP_DMA, &unmap);
	if (unmap.size != length)
		fail("%llu bytes were unmapped of %zu",
		     (unsigned long long)unmap.size, length);
}

const struct backend type1_backend = {
	.name = "type1",
	.bit = ON_TYPE1,
	.open = type1_open,
	.close = type1_close,
	.map = type1_map,
	.unmap = type1_unmap,
};
