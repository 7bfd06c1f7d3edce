// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The backend that uses /dev/iommu, with devices bound to vfio-pci. */
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "iommufd.h"

#define DEVICES 4
#define RW	(IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

struct iommufd iommufd = { .file = -1 };
static unsigned int bound;
static int devices[DEVICES];
/* Of the latest device. */
static uint32_t hwpt_id;

static uint32_t ioas_alloc(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	CONTROL(iommufd.file, IOMMU_IOAS_ALLOC, &alloc);
	return alloc.out_ioas_id;
}

uint32_t iommufd_hwpt_alloc(struct iommu_hwpt_alloc alloc)
{
	alloc.size = sizeof(alloc);
	alloc.dev_id = iommufd.device;
	CONTROL(iommufd.file, IOMMU_HWPT_ALLOC, &alloc);
	return alloc.out_hwpt_id;
}

static void bind_device(void)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd.file,
	};
	struct device device;

	device_get(bound, &device);
	devices[bound] = open_file(device.cdev, O_RDWR);
	bound++;
	CONTROL(devices[bound - 1], VFIO_DEVICE_BIND_IOMMUFD, &bind);
	iommufd.device = bind.out_devid;
}

void iommufd_attach(uint32_t pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = pt_id,
	};

	CONTROL(devices[bound - 1], VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

void iommufd_destroy(uint32_t id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

	CONTROL(iommufd.file, IOMMU_DESTROY, &destroy);
}

static void attach_own(void)
{
	struct iommu_hwpt_alloc alloc = { .pt_id = iommufd.ioas[0] };

	hwpt_id = iommufd_hwpt_alloc(alloc);
	iommufd_attach(hwpt_id);
}

static void detach_own(void)
{
	struct vfio_device_detach_iommufd_pt detach = {
		.argsz = sizeof(detach),
	};

	CONTROL(devices[bound - 1], VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
	iommufd_destroy(hwpt_id);
}

/*
 * One more device is bound than there are page tables: for attach(). Without a
 * page table there is no device.
 */
void iommufd_open(unsigned int tables)
{
	iommufd.file = open_file("/dev/iommu", O_RDWR);
	iommufd.ioas[0] = ioas_alloc();
	if (!tables)
		return;
	bind_device();
	iommufd_attach(iommufd.ioas[0]);
	for (unsigned int i = 1; i < tables; i++) {
		bind_device();
		attach_own();
	}
	iommufd.ioas[1] = ioas_alloc();
	bind_device();
}

void iommufd_close(void)
{
	while (bound)
		close(devices[--bound]);
	if (iommufd.file >= 0)
		close(iommufd.file);
	iommufd.file = -1;
}

static void iommufd_map(void *address, uint64_t iova, size_t length)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = iommufd.ioas[0],
		.user_va = (uintptr_t)address,
		.length = length,
		.iova = iova,
	};

	CONTROL(iommufd.file, IOMMU_IOAS_MAP, &map);
}

static void iommufd_map_file(int file, uint64_t iova, size_t length)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = iommufd.ioas[0],
		.fd = file,
		.length = length,
		.iova = iova,
	};

	CONTROL(iommufd.file, IOMMU_IOAS_MAP_FILE, &map);
}

static void unmap_from(uint32_t ioas_id, uint64_t iova, size_t length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas_id,
		.iova = iova,
		.length = length,
	};

	CONTROL(iommufd.file, IOMMU_IOAS_UNMAP, &unmap);
}

static void iommufd_unmap(uint64_t iova, size_t length)
{
	unmap_from(iommufd.ioas[0], iova, length);
}

static void iommufd_open_copy(void)
{
	iommufd_attach(iommufd.ioas[1]);
}

static void iommufd_copy(uint64_t iova, size_t length)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.dst_ioas_id = iommufd.ioas[1],
		.src_ioas_id = iommufd.ioas[0],
		.length = length,
		.src_iova = iova,
		.dst_iova = iova,
	};

	CONTROL(iommufd.file, IOMMU_IOAS_COPY, &copy);
}

static void iommufd_unmap_copy(uint64_t iova, size_t length)
{
	unmap_from(iommufd.ioas[1], iova, length);
}

/* clang-format off */
#define BACKEND(_name, _bit)			\
	{					\
		.name = _name,			\
		.bit = _bit,			\
		.open = iommufd_open,		\
		.close = iommufd_close,		\
		.map = iommufd_map,		\
		.map_file = iommufd_map_file,	\
		.unmap = iommufd_unmap,		\
		.open_copy = iommufd_open_copy,	\
		.copy = iommufd_copy,		\
		.unmap_copy = iommufd_unmap_copy, \
		.attach = attach_own,		\
		.detach = detach_own,		\
	}
/* clang-format on */

const struct backend iommufd_backend = BACKEND("iommufd", ON_IOMMUFD);
const struct backend pinlimit_backend = BACKEND("pinlimit", ON_PINLIMIT);
