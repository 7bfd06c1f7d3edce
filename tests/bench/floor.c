// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The backend that uses the module in floor/: the bare minimum. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "floor/floor.h"

static int fd = -1;

static void floor_open(unsigned int tables)
{
	struct floor_attach attach = { .runs = options.size / PAGE,
				       .lanes = 1 };
	struct device device;

	if (tables > 1)
		fail("the floor has one page table");
	for (unsigned int i = 0; options.threads[i]; i++) {
		attach.runs = MIB / PAGE;
		if (attach.lanes < options.threads[i])
			attach.lanes = options.threads[i];
	}
	device_get(0, &device);
	snprintf(attach.address, sizeof(attach.address), "%s", device.address);
	fd = open_file(FLOOR_PATH, O_RDWR);
	CONTROL(fd, FLOOR_ATTACH, &attach);
}

static void floor_close(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
}

static void floor_map(void *address, uint64_t iova, size_t length)
{
	struct floor_map map = {
		.user_va = (uintptr_t)address,
		.iova = iova,
		.length = length,
		.fd = -1,
		.lane = lane,
	};

	CONTROL(fd, FLOOR_MAP, &map);
}

static void floor_map_file(int file, uint64_t iova, size_t length)
{
	struct floor_map map = {
		.iova = iova, .length = length, .fd = file, .lane = lane
	};

	CONTROL(fd, FLOOR_MAP, &map);
}

static void floor_unmap(uint64_t iova, size_t length)
{
	struct floor_unmap unmap = { .iova = iova,
				     .length = length,
				     .lane = lane };

	CONTROL(fd, FLOOR_UNMAP, &unmap);
}

const struct backend floor_backend = {
	.name = "floor",
	.bit = ON_FLOOR,
	.open = floor_open,
	.close = floor_close,
	.map = floor_map,
	.map_file = floor_map_file,
	.unmap = floor_unmap,
};
