// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which code of the kernel was reached, on a kernel with KCOV: a set of
 * addresses that all sequences share, printed at the end.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define ENTRIES		(256 << 10)
#define SET		(64 << 10)

static __thread unsigned long *trace;
static unsigned long *seen;

void kcov_open(void)
{
	seen = mmap(NULL, SET * sizeof(*seen), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/*
 * For the calling thread. The mapping keeps it enabled after the file is
 * closed.
 */
void kcov_start(void)
{
	int fd;

	if (!seen)
		return;
	fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, (unsigned long)ENTRIES))
		abort();
	trace = mmap(NULL, ENTRIES * sizeof(*trace), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	if (trace == MAP_FAILED || ioctl(fd, KCOV_ENABLE, 0UL))
		abort();
	__atomic_store_n(&trace[0], 0, __ATOMIC_RELAXED);
}

static void note(unsigned long pc)
{
	unsigned long i = pc * 0x9e3779b97f4a7c15UL >> 48;

	while (seen[i % SET] && seen[i % SET] != pc)
		i++;
	seen[i % SET] = pc;
}

void kcov_stop(void)
{
	unsigned long n;

	if (!seen)
		return;
	n = __atomic_load_n(&trace[0], __ATOMIC_RELAXED);
	for (unsigned long i = 0; i < n; i++)
		note(trace[1 + i]);
}

void kcov_print(void)
{
	for (unsigned long i = 0; seen && i < SET; i++)
		if (seen[i])
			printf("KCOV %#lx\n", seen[i]);
}
