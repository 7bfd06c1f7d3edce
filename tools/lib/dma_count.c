// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "dma_count.h"
#include "dma_fault.h"
#include "holder.h"
#include "kmsg.h"
#include "tool.h"

/* A machine has fewer devices that user space drives. */
#define DEVICES 1024

/**
 * struct counted - a device
 * @marked: its faults at the time of dma_count_mark()
 */
struct counted {
	char device[DMA_COUNT_NAME];
	__u64 faults;
	__u64 marked;
};

/**
 * struct dma_count - the counters
 * @fd: the log
 * @log: for reports of two lines
 */
struct dma_count {
	int fd;
	struct dma_fault_log log;
	__u64 lost;
	size_t nr;
	struct counted devices[DEVICES];
};

struct dma_count *dma_count_open(void)
{
	int fd = kmsg_try_open();
	struct dma_count *count;

	if (fd < 0)
		return NULL;
	count = tool_memory(calloc(1, sizeof(*count)));
	count->fd = fd;
	return count;
}

void dma_count_close(struct dma_count *count)
{
	if (!count)
		return;
	close(count->fd);
	free(count);
}

static struct counted *find(const struct dma_count *count, const char *device)
{
	for (size_t i = 0; i < count->nr; i++)
		if (!strcmp(count->devices[i].device, device))
			return (struct counted *)&count->devices[i];
	return NULL;
}

static void add(struct dma_count *count, const char *device)
{
	struct counted *counted = find(count, device);

	/* Those of the kernel's own drivers don't count. */
	if (!counted && count->nr < DEVICES && holder_is_vfio(device)) {
		counted = &count->devices[count->nr++];
		snprintf(counted->device, sizeof(counted->device), "%s",
			 device);
	}
	if (counted)
		counted->faults++;
}

void dma_count_read(struct dma_count *count)
{
	struct dma_fault fault;
	char line[1024];

	while (kmsg_read(count->fd, line, sizeof(line), &count->lost))
		if (dma_fault_read(&count->log, line, &fault))
			add(count, fault.device);
}

__u64 dma_count_of(const struct dma_count *count, const char *device)
{
	const struct counted *counted = find(count, device);

	return counted ? counted->faults : 0;
}

__u64 dma_count_new(const struct dma_count *count, const char *device)
{
	const struct counted *counted = find(count, device);

	return counted ? counted->faults - counted->marked : 0;
}

void dma_count_mark(struct dma_count *count)
{
	for (size_t i = 0; i < count->nr; i++)
		count->devices[i].marked = count->devices[i].faults;
}

__u64 dma_count_at(const struct dma_count *count, size_t n,
		   char device[DMA_COUNT_NAME])
{
	if (n >= count->nr)
		return 0;
	memcpy(device, count->devices[n].device, DMA_COUNT_NAME);
	return count->devices[n].faults;
}

__u64 dma_count_lost(const struct dma_count *count)
{
	return count->lost;
}
