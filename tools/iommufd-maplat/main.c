// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/slots.h"
#include "../lib/tool.h"
#include "iommufd_maplat.skel.h"
#include "maplat.h"

/* Requests that are in no report, since the start. */
static __u64 count_lost(struct iommufd_maplat *bpf)
{
	return bpf->bss->lost + tool_misses(bpf->obj);
}

/* Puts a new map in place of the one that is written to; -1 or that one. */
static int next_rows(struct iommufd_maplat *bpf, int *current)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int next, last = *current;
	__u32 zero = 0;

	next = bpf_map_create(BPF_MAP_TYPE_PERCPU_HASH, NULL,
			      sizeof(struct maplat_key),
			      sizeof(struct maplat_row), MAPLAT_MAX_ROWS,
			      &opts);
	if (next < 0)
		return -1;
	/* The kernel waits until no program uses the old one. */
	if (bpf_map_update_elem(bpf_map__fd(bpf->maps.rows), &zero, &next,
				BPF_ANY)) {
		close(next);
		return -1;
	}
	*current = next;
	return last;
}

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

static void read_rows(int fd, struct report *report)
{
	int cpus = libbpf_num_possible_cpus();
	struct maplat_row *values = tool_memory(calloc(cpus, sizeof(*values)));
	struct maplat_key key, *prev = NULL;
	size_t room = 0;

	while (!bpf_map_get_next_key(fd, prev, &key)) {
		if (report->nr == room) {
			room = room * 2 + 16;
			report->rows =
				tool_memory(reallocarray(report->rows, room,
							 sizeof(*report->rows)));
		}
		report->rows[report->nr] = (struct row){ .key = key };
		read_row(fd, &report->rows[report->nr++], values, cpus);
		prev = &key;
	}
	free(values);
}

static int by_time(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	__u64 x = left->sum.part->sum, y = right->sum.part->sum;

	if (left->key.op != right->key.op)
		return left->key.op < right->key.op ? -1 : 1;
	return (x < y) - (x > y);
}

static int by_size(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->key.op != right->key.op)
		return left->key.op < right->key.op ? -1 : 1;
	return (left->key.id > right->key.id) - (left->key.id < right->key.id);
}

static int show_histograms(struct iommufd_maplat *bpf, struct options *options)
{
	int current = bpf_map__fd(bpf->maps.first_rows), status = EXIT_SUCCESS;
	__u64 begin = loop_clock(CLOCK_MONOTONIC), end;
	enum loop_event event;

	do {
		struct report report = {};
		int fd;

		event = loop_wait(&options->loop, -1);
		fd = next_rows(bpf, &current);
		if (fd < 0) {
			err_say("can't read the histograms: %s",
				strerror(errno));
			return EXIT_FAILURE;
		}
		end = loop_clock(CLOCK_MONOTONIC);
		report.time_ns = loop_clock(CLOCK_REALTIME);
		report.interval_ns = end - begin;
		begin = end;
		read_rows(fd, &report);
		report.lost = count_lost(bpf);
		if (fd != bpf_map__fd(bpf->maps.first_rows))
			close(fd);
		if (report.nr)
			qsort(report.rows, report.nr, sizeof(*report.rows),
			      options->by == MAPLAT_BY_SIZE ? by_size :
							      by_time);
		print_report(&report, options);
		free(report.rows);
	} while (loop_flush(&status) && event != LOOP_END &&
		 !loop_done(&options->loop));
	return status;
}

static int show_call(void *data, void *call, size_t size)
{
	const struct maplat_call *found = call;

	(void)size;
	print_call(found, loop_since_1970(found->end_ns), data);
	return 0;
}

static int list_calls(struct iommufd_maplat *bpf, struct options *options)
{
	int status = EXIT_SUCCESS, fd = bpf_map__fd(bpf->maps.calls);
	__u64 told = 0, lost;
	struct ring_buffer *ring;

	ring = ring_buffer__new(fd, show_call, options, NULL);
	if (!ring) {
		err_say("can't read single requests: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	print_call_titles(options);
	while (loop_flush(&status) &&
	       loop_wait(&options->loop, ring_buffer__epoll_fd(ring)) !=
		       LOOP_END) {
		ring_buffer__consume(ring);
		lost = count_lost(bpf);
		if (lost != told)
			err_say("%llu requests are lost so far", lost);
		told = lost;
	}
	ring_buffer__consume(ring);
	loop_flush(&status);
	lost = count_lost(bpf);
	if (lost != told)
		err_say("%llu requests are lost", lost);
	ring_buffer__free(ring);
	return status;
}

static struct iommufd_maplat *open_bpf(const struct options *options)
{
	struct iommufd_maplat *bpf = iommufd_maplat__open();
	int err = -errno;

	if (bpf) {
		bpf->rodata->by = options->by;
		bpf->rodata->only_tgid = options->pid;
		bpf->rodata->one_by_one = options->slower;
		bpf->rodata->slower_ns = options->slower_us * 1000;
		err = iommufd_maplat__load(bpf);
	}
	if (!err)
		err = iommufd_maplat__attach(bpf);
	if (!err)
		return bpf;
	tool_refused(-err);
	iommufd_maplat__destroy(bpf);
	return NULL;
}

int main(int argc, char **argv)
{
	struct options options = {};
	struct iommufd_maplat *bpf;
	int status;

	options_parse(&options, argc, argv);
	if (!tool_check(options.verbose))
		return EXIT_FAILURE;
	bpf = open_bpf(&options);
	if (!bpf)
		return EXIT_FAILURE;
	loop_begin(&options.loop);
	tool_ready("maps and unmaps");
	status = options.slower ? list_calls(bpf, &options) :
				  show_histograms(bpf, &options);
	iommufd_maplat__destroy(bpf);
	return status;
}
