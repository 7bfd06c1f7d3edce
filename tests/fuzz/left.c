// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Nothing must be left when all files of a sequence are closed. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

static long field(const char *path, const char *name)
{
	char line[256];
	long value = 0;
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	if (file)
		fclose(file);
	return value;
}

/* No page is pinned, and none is charged to the process. */
bool left_in_process(struct world *world, char *message, size_t size)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MD_CHECK_REFS,
	};
	long pinned = field("/proc/self/status", "VmPin:");
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	bool left = false;

	if (pinned) {
		snprintf(message, size, "VmPin is %ld kB at the end", pinned);
		left = true;
	}
	for (unsigned int i = 0; i < FIXED_MEMORIES && !world->wild; i++) {
		const struct memory *memory = &world->memories[i];

		if (!memory->address || memory->hole_end)
			continue;
		cmd.check_refs.uptr = (uintptr_t)memory->address;
		cmd.check_refs.length = memory->pages * PAGE;
		if (!ioctl(fd, IOMMU_TEST_CMD, &cmd))
			continue;
		snprintf(message, size, "%s is still pinned at the end: %s",
			 memory_name(i), strerrorname_np(errno));
		left = true;
	}
	close(fd);
	return left;
}

/* Of the whole machine. The counters are kept per CPU; this adds them up. */
long pinned_pages(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "1", 1) < 0)
			perror("stat_refresh");
		close(fd);
	}
	return field("/proc/vmstat", "nr_foll_pin_acquired ") -
	       field("/proc/vmstat", "nr_foll_pin_released ");
}

static int map_all(int fd, size_t size)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_test_cmd attach = {
		.size = sizeof(attach),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN,
	};
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_FIXED_IOVA,
		.iova = MOCK_APERTURE_START,
		.length = size,
	};

	map.user_va = (uintptr_t)mmap(NULL, size, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ioctl(fd, IOMMU_IOAS_ALLOC, &alloc))
		return errno;
	attach.id = alloc.out_ioas_id;
	map.ioas_id = alloc.out_ioas_id;
	if (ioctl(fd, IOMMU_TEST_CMD, &attach) ||
	    ioctl(fd, IOMMU_IOAS_MAP, &map))
		return errno;
	return 0;
}

/*
 * Whether the user is still charged: without privileges it may lock exactly as
 * much as its limit says.
 */
bool charges_left(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};
	struct rlimit limit = { 16 * PAGE, 16 * PAGE };
	int fd, status = 0;
	pid_t pid = fork();

	if (!pid) {
		fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
		setrlimit(RLIMIT_MEMLOCK, &limit);
		syscall(SYS_capset, &head, data);
		_exit(map_all(fd, limit.rlim_cur));
	}
	waitpid(pid, &status, 0);
	return status;
}
