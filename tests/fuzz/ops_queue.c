// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Queues of page faults and of events, and their files. */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* A kernel worker delivers a fault: wait for it if one is due. */
#define PATIENCE_MS 1000

void fault_alloc(struct run *run)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };
	struct object *fault;

	call(run, IOMMU_FAULT_QUEUE_ALLOC, &cmd);
	judged(run, "%s", "");
	if (run->error)
		return;
	fault = object_add(run, FAULT, cmd.out_fault_id);
	fault->fd = cmd.out_fault_fd;
	/* The file. */
	fault->users++;
}

static bool reports(struct run *run, const struct object *idev)
{
	const struct object *stdev = stdev_of(run, idev);

	return stdev && (queue_of(stdev->hwpt) || queue_of(stdev->pasids[0]));
}

/* Mostly on a device whose faults go to a queue. */
void fault_trigger(struct run *run)
{
	struct object *idev = prefer(run, IDEV, reports), *stdev, *queue = NULL;
	struct iommu_test_cmd cmd = {
		.trigger_iopf = {
			.dev_id = id_of(run, idev),
			.pasid = chance(&run->rng, 20),
			.grpid = below(&run->rng, 512),
			.perm = 1 + below(&run->rng, 15),
			.addr = below(&run->rng, 1 << 20) * PAGE,
		},
	};
	struct pollfd file = { .events = POLLIN };

	stdev = stdev_of(run, idev);
	if (stdev)
		queue = queue_of(cmd.trigger_iopf.pasid ? stdev->pasids[0] :
							  stdev->hwpt);
	any(run);
	mock(run, &cmd, IOMMU_TEST_OP_TRIGGER_IOPF, 0);
	judged(run, "%s pasid %u", name_of(idev), cmd.trigger_iopf.pasid);
	if (run->error || !queue || queue->fd < 0 || run->world->wild)
		return;
	file.fd = queue->fd;
	said(run, "%s has it: %d", name_of(queue), poll(&file, 1, PATIENCE_MS));
}

static ssize_t transfer(struct run *run, struct object *queue, void *data,
			size_t size, bool out)
{
	ssize_t ret;

	unlocked(run);
	arm(run);
	ret = out ? write(queue->fd, data, size) : read(queue->fd, data, size);
	run->error = ret < 0 ? errno : 0;
	disarm(run);
	locked(run);
	return ret;
}

/* The users of the queue are its page tables, and the file that reads it. */
static bool is_reported_to(struct run *run, const struct object *queue)
{
	(void)run;
	return queue->users > 1;
}

void fault_read(struct run *run)
{
	struct iommu_hwpt_pgfault faults[4];
	struct object *queue = prefer(run, FAULT, is_reported_to);
	size_t size = (1 + below(&run->rng, 4)) * sizeof(*faults);
	ssize_t n;

	if (!is(queue, FAULT) || queue->fd < 0)
		return;
	if (chance(&run->rng, 10))
		size -= 1 + below(&run->rng, sizeof(*faults));
	any(run);
	n = transfer(run, queue, faults, size, false);
	judged(run, "%s %zu", name_of(queue), size);
	if (run->error)
		return;
	check(run, n % sizeof(*faults) == 0, "read a part of a fault");
	for (size_t i = 0; i < n / sizeof(*faults); i++) {
		said(run, "perm %u group %u addr %#llx length %u",
		     faults[i].perm, faults[i].grpid,
		     (unsigned long long)faults[i].addr, faults[i].length);
		/* The last ones, to be answered. */
		queue->pinned[i].id = 1 + faults[i].cookie;
	}
}

static bool waits(struct run *run, const struct object *queue)
{
	(void)run;
	return queue->pinned[0].id;
}

void fault_write(struct run *run)
{
	struct iommu_hwpt_page_response answers[4];
	struct object *queue = prefer(run, FAULT, waits);
	unsigned int n = chance(&run->rng, 70) ? 1 : 1 + below(&run->rng, 3);
	size_t size = n * sizeof(*answers);
	ssize_t written;

	if (!is(queue, FAULT) || queue->fd < 0)
		return;
	for (unsigned int i = 0; i < n; i++) {
		answers[i].cookie = chance(&run->rng, 10) ?
					    below(&run->rng, 1 << 20) :
					    queue->pinned[i].id - 1;
		answers[i].code =
			below(&run->rng, chance(&run->rng, 5) ? 4 : 2);
		queue->pinned[i].id = 0;
	}
	if (chance(&run->rng, 5))
		size--;
	any(run);
	written = transfer(run, queue, answers, size, true);
	judged(run, "%s %zu", name_of(queue), size);
	if (!run->error)
		said(run, "%zd", written);
}

/* On a nested page table. */
static bool is_nested(struct run *run, const struct object *idev)
{
	const struct object *stdev = stdev_of(run, idev);

	return stdev && is(stdev->hwpt, NESTED);
}

void event_trigger(struct run *run)
{
	struct object *idev = prefer(run, IDEV, is_nested);
	struct iommu_test_cmd cmd = {
		.trigger_vevent.dev_id = id_of(run, idev),
	};

	any(run);
	mock(run, &cmd, IOMMU_TEST_OP_TRIGGER_VEVENT, 0);
	judged(run, "%s", name_of(idev));
}

void event_read(struct run *run)
{
	struct iommufd_vevent_header header;
	char data[256];
	struct object *queue = right(run, VEVENTQ);
	size_t size = chance(&run->rng, 80) ? sizeof(data) :
					      below(&run->rng, sizeof(data));
	ssize_t n, at = 0;

	if (!queue || queue->fd < 0)
		return;
	any(run);
	n = transfer(run, queue, data, size, false);
	judged(run, "%s %zu", name_of(queue), size);
	while (!run->error && at + (ssize_t)sizeof(header) <= n) {
		memcpy(&header, data + at, sizeof(header));
		said(run, "flags %u sequence %u", header.flags,
		     header.sequence);
		at += sizeof(header);
		if (!(header.flags & IOMMU_VEVENTQ_FLAG_LOST_EVENTS))
			at += sizeof(struct iommu_viommu_event_selftest);
	}
	if (!run->error)
		check(run, at == n, "read a part of an event");
}

static struct object *some_queue(struct run *run)
{
	struct object *queue =
		right(run, chance(&run->rng, 50) ? FAULT : VEVENTQ);

	return queue && queue->fd >= 0 ? queue : NULL;
}

void queue_close(struct run *run)
{
	struct object *queue = some_queue(run);

	/*
	 * With several threads, its descriptor could become that of another
	 * file at once.
	 */
	if (!queue || run->world->wild)
		return;
	run->error = close(queue->fd) ? errno : 0;
	judged(run, "%s", name_of(queue));
	queue->fd = -1;
	queue->users--;
}

/* Operations that these files do not support. */
void queue_misuse(struct run *run)
{
	struct object *queue = some_queue(run);
	struct pollfd file = { .events = POLLIN | POLLOUT };
	char data[64] = "";
	/* The queue is empty. */
	void *volatile nowhere = (void *)8;
	void *map;

	if (!queue)
		return;
	any(run);
	switch (below(&run->rng, 5)) {
	case 0:
		file.fd = queue->fd;
		run->error = poll(&file, 1, 0) < 0 ? errno : 0;
		judged(run, "%s poll %#x", name_of(queue), file.revents);
		return;
	case 1:
		run->error = pread(queue->fd, data, sizeof(data), PAGE) < 0 ?
				     errno :
				     0;
		break;
	case 2:
		run->error = lseek(queue->fd, 0, SEEK_SET) < 0 ? errno : 0;
		break;
	case 3:
		run->error = read(queue->fd, nowhere, 1 << 10) < 0 ? errno : 0;
		break;
	default:
		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, queue->fd, 0);
		run->error = map == MAP_FAILED ? errno : 0;
		if (map != MAP_FAILED)
			munmap(map, PAGE);
	}
	judged(run, "%s", name_of(queue));
}
