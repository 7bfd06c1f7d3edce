// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/slots.h"
#include "../lib/swap.h"
#include "../lib/tool.h"
#include "iommufd_maplat.skel.h"
#include "source.h"

static const struct options *options;
static struct iommufd_maplat *bpf;
static struct swap rows;
static struct ring_buffer *ring;

static void read_row(int fd, struct row *row, struct maplat_row *cpus, int nr)
{
	if (bpf_map_lookup_elem(fd, &row->key, cpus))
		return;
	for (int cpu = 0; cpu < nr; cpu++) {
		row->sum.failed += cpus[cpu].failed;
		row->sum.untimed += cpus[cpu].untimed;
		row->sum.bytes += cpus[cpu].bytes;
		if (*cpus[cpu].comm)
			memcpy(row->sum.comm, cpus[cpu].comm, MAPLAT_COMM_LEN);
		for (int i = 0; i < MAPLAT_PARTS; i++)
			slots_merge(&row->sum.part[i], &cpus[cpu].part[i]);
	}
}

static bool events_read(struct report *report)
{
	int fd = swap_next(&rows), cpus = libbpf_num_possible_cpus();
	struct maplat_key key, *last = NULL;
	struct maplat_row *values;

	if (fd < 0) {
		err_say("can't read the histograms: %s", strerror(errno));
		return false;
	}
	values = tool_memory(calloc(cpus, sizeof(*values)));
	while (!bpf_map_get_next_key(fd, last, &key)) {
		read_row(fd, add_row(report, &key), values, cpus);
		last = &key;
	}
	free(values);
	close(fd);
	return true;
}

static int show_call(void *unused, void *call, size_t size)
{
	(void)unused;
	(void)size;
	print_call(call, options);
	return 0;
}

static int events_fd(void)
{
	return ring_buffer__epoll_fd(ring);
}

static void events_take(void)
{
	ring_buffer__consume(ring);
}

static __u64 events_lost(void)
{
	return bpf->bss->lost + tool_misses(bpf->obj);
}

static void events_close(void)
{
	ring_buffer__free(ring);
	swap_end(&rows);
	iommufd_maplat__destroy(bpf);
}

static int begin(void)
{
	int err;

	bpf = iommufd_maplat__open();
	if (!bpf)
		return errno;
	bpf->rodata->by = options->by;
	bpf->rodata->only_tgid = options->common.pid;
	bpf->rodata->one_by_one = options->slower;
	bpf->rodata->slower_ns = options->slower_us * 1000;
	err = iommufd_maplat__load(bpf);
	if (err)
		return -err;
	if (!swap_begin(&rows, bpf->maps.rows, bpf->maps.first_rows))
		return errno;
	ring = ring_buffer__new(bpf_map__fd(bpf->maps.calls), show_call, NULL,
				NULL);
	if (!ring)
		return errno;
	return -iommufd_maplat__attach(bpf);
}

static bool events_open(const struct options *wanted)
{
	int err;

	options = wanted;
	rows.current = -1;
	err = begin();
	if (!err)
		return true;
	tool_refused(err);
	events_close();
	return false;
}

static bool events_have_part(enum maplat_part part)
{
	(void)part;
	return true;
}

const struct source events_source = {
	.open = events_open,
	.has_part = events_have_part,
	.read = events_read,
	.fd = events_fd,
	.take = events_take,
	.lost = events_lost,
	.close = events_close,
};
