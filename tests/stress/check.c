// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A thread's own context works correctly, whatever other threads do. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stress.h"

#define LENGTH (16 * PAGE)

static void expect(bool what, const char *text)
{
	if (!what) {
		fprintf(stderr, "in a context of one thread's own: ");
		die(text);
	}
}

static void check_map(int fd, unsigned int hwpt, void *memory)
{
	struct iommu_test_cmd cmd = {
		.check_map = {
			.iova = MOCK_APERTURE_START,
			.length = LENGTH,
			.uptr = (uintptr_t)memory,
		},
	};

	expect(!command(fd, &cmd, IOMMU_TEST_OP_MD_CHECK_MAP, hwpt),
	       "check_map");
}

static void check_read(int fd, unsigned int ioas, char *memory, size_t offset)
{
	char got[64];
	struct iommu_test_cmd access = {};
	struct iommu_test_cmd cmd = {
		.access_rw = {
			.iova = MOCK_APERTURE_START + offset,
			.length = sizeof(got),
			.uptr = (uintptr_t)got,
		},
	};

	expect(!command(fd, &access, IOMMU_TEST_OP_CREATE_ACCESS, ioas),
	       "create access");
	expect(!command(fd, &cmd, IOMMU_TEST_OP_ACCESS_RW,
			access.create_access.out_access_fd),
	       "read");
	expect(!memcmp(got, memory + offset, sizeof(got)), "compare");
	close(access.create_access.out_access_fd);
}

bool check_own(struct worker *worker)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.length = LENGTH,
		.iova = MOCK_APERTURE_START,
	};
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap),
					  .length = UINT64_MAX };
	struct iommu_test_cmd device = {};
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	char *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect(fd >= 0 && memory != MAP_FAILED, "open");
	for (size_t i = 0; i < LENGTH; i += sizeof(uint64_t))
		*(uint64_t *)(memory + i) = below(worker, UINT64_MAX);
	expect(!ioctl(fd, IOMMU_IOAS_ALLOC, &ioas), "ioas alloc");
	map.ioas_id = ioas.out_ioas_id;
	map.user_va = (uintptr_t)memory;
	expect(!ioctl(fd, IOMMU_IOAS_MAP, &map), "map");
	expect(!command(fd, &device, IOMMU_TEST_OP_MOCK_DOMAIN,
			ioas.out_ioas_id),
	       "attach");
	check_map(fd, device.mock_domain.out_hwpt_id, memory);
	check_read(fd, ioas.out_ioas_id, memory, below(worker, LENGTH - 64));
	if (below(worker, 2)) {
		unmap.ioas_id = ioas.out_ioas_id;
		expect(!ioctl(fd, IOMMU_IOAS_UNMAP, &unmap) &&
			       unmap.length == LENGTH,
		       "unmap");
		expect(!destroy(fd, device.mock_domain.out_stdev_id), "detach");
		expect(!destroy(fd, ioas.out_ioas_id), "destroy");
	}
	close(fd);
	munmap(memory, LENGTH);
	return true;
}
