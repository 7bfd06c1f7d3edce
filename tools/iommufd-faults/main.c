// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../lib/err.h"
#include "../lib/list.h"
#include "../lib/tool.h"
#include "iommufd_faults.skel.h"
#include "dma.h"
#include "print.h"

/**
 * struct watch - state of the tool
 * @list: for contexts and devices that existed before the start, and numbers of
 *	waiting faults
 * @told: lost events that have been reported
 */
struct watch {
	struct iommufd_faults *bpf;
	struct ring_buffer *ring;
	struct list *list;
	struct table table;
	struct options options;
	__u64 told;
};

static bool is_listed(const struct watch *watch)
{
	return !watch->options.loop.interval;
}

/* Whether a context passes the filter by process. */
static bool is_wanted(const struct watch *watch, __u32 number)
{
	const struct ctx *ctx = table_ctx(&watch->table, number);

	return !watch->options.common.pid ||
	       (ctx && ctx->tgid == watch->options.common.pid);
}

static void end(struct watch *watch, struct group *group, enum end how,
		__u64 wait_ns, __u64 ktime_ns)
{
	struct ended ended = {
		.group = group,
		.ctx = table_ctx(&watch->table, group->report.ctx),
		.device = table_device(&watch->table, group->report.ctx,
				       group->report.device),
		.end = how,
		.wait_ns = wait_ns,
		.time_ns = loop_since_1970(ktime_ns),
	};

	if (is_listed(watch))
		print_ended(&ended, &watch->options);
}

static void take_report(struct watch *watch, struct queue *queue,
			const struct faults_record *record)
{
	struct group refused = { .report = *record };
	struct group *group;

	queue->reported++;
	if (record->ret) {
		queue->ends[END_REFUSED]++;
		end(watch, &refused, END_REFUSED, 0, record->time_ns);
		return;
	}
	group = table_group(&watch->table, record);
	/* A lost event may have left an old group with the same cookie. */
	group->read = false;
	group->read_ns = 0;
	group->report = *record;
	group->since_ns = record->time_ns;
}

static void take_read(struct watch *watch, struct queue *queue,
		      const struct faults_record *record)
{
	struct group *group = table_group(&watch->table, record);

	queue->read++;
	group->read = true;
	group->read_ns = record->wait_ns;
	if (!record->wait_ns)
		return;
	latency_add(&queue->to_read, record->wait_ns);
	/* The kernel starts its clock before it writes the event of the report. */
	group->since_ns = record->time_ns - record->wait_ns;
}

static enum end end_of(const struct faults_record *record)
{
	if (record->kind == FAULTS_ABORT)
		return END_ABORTED;
	return record->code ? END_INVALID : END_RETRY;
}

static void take_answer(struct watch *watch, struct queue *queue,
			const struct faults_record *record)
{
	struct group *group = table_group(&watch->table, record);
	enum end how = end_of(record);

	queue->ends[how]++;
	if (how != END_ABORTED && record->wait_ns)
		latency_add(&queue->to_answer, record->wait_ns);
	end(watch, group, how, record->wait_ns, record->time_ns);
	table_remove_group(&watch->table, group);
}

static void take_vevent(struct watch *watch, const struct faults_record *record)
{
	struct queue *queue = table_queue(&watch->table, record->ctx,
					  record->device, record->queue);

	if (record->ret)
		queue->refused++;
	else
		queue->events++;
	if (queue->lost < record->lost)
		queue->lost = record->lost;
	if (is_listed(watch))
		print_vevent(record, table_ctx(&watch->table, record->ctx),
			     loop_since_1970(record->time_ns), &watch->options);
}

static void take_fault(struct watch *watch, const struct faults_record *record)
{
	struct queue *queue =
		table_queue(&watch->table, record->ctx, 0, record->queue);

	switch (record->kind) {
	case FAULTS_REPORT:
		take_report(watch, queue, record);
		break;
	case FAULTS_READ:
		take_read(watch, queue, record);
		break;
	default:
		take_answer(watch, queue, record);
	}
}

static int take(void *data, void *sample, size_t size)
{
	const struct faults_record *record = sample;
	struct watch *watch = data;

	(void)size;
	switch (record->kind) {
	case FAULTS_CTX_OPEN:
		table_add_ctx(&watch->table, record->ctx, record->tgid,
			      record->comm);
		return 0;
	case FAULTS_CTX_CLOSE:
		table_close_ctx(&watch->table, record->ctx);
		return 0;
	case FAULTS_BIND:
		table_add_device(&watch->table, record->ctx, record->device,
				 record->name);
		return 0;
	case FAULTS_UNBIND:
		table_remove_device(&watch->table, record->ctx, record->device);
		return 0;
	}
	if (!is_wanted(watch, record->ctx))
		return 0;
	if (record->kind == FAULTS_VEVENT)
		take_vevent(watch, record);
	else
		take_fault(watch, record);
	return 0;
}

static __u64 count_lost(const struct watch *watch)
{
	return watch->bpf->bss->lost + tool_misses(watch->bpf->obj);
}

static void tell_lost(struct watch *watch)
{
	__u64 lost = count_lost(watch);

	if (lost != watch->told)
		err_say("%llu events were lost so far", lost);
	watch->told = lost;
}

/* Reads the contexts and devices that existed before the start. */
static bool read_contexts(struct watch *watch)
{
	const struct listing *found = list_read(watch->list);

	for (size_t i = 0; found && i < found->nr_contexts; i++)
		table_add_ctx(&watch->table, found->contexts[i].ctx,
			      found->contexts[i].tgid, found->contexts[i].comm);
	for (size_t i = 0; found && i < found->nr_objects; i++) {
		const struct list_object *object = &found->objects[i];

		if (object->type == LIST_TYPE_DEVICE && *object->name)
			table_add_device(&watch->table, object->ctx, object->id,
					 object->name);
	}
	return found;
}

static void list_waiting(struct watch *watch)
{
	__u64 now = loop_clock(CLOCK_MONOTONIC);
	struct group *group = NULL;

	while ((group = hash_next(&watch->table.groups, group)))
		end(watch, group, END_WAITING,
		    group->since_ns ? now - group->since_ns : 0, now);
}

static int list_faults(struct watch *watch)
{
	int fd = ring_buffer__epoll_fd(watch->ring), status = EXIT_SUCCESS;
	struct loop *loop = &watch->options.loop;

	print_titles(&watch->options);
	while (loop_flush(&status) && loop_wait(loop, fd) != LOOP_END) {
		ring_buffer__consume(watch->ring);
		table_begin(&watch->table);
		tell_lost(watch);
	}
	ring_buffer__consume(watch->ring);
	list_waiting(watch);
	loop_flush(&status);
	tell_lost(watch);
	return status;
}

/* The kernel reports the number of waiting faults, so that none is missed. */
static bool sum_up(struct watch *watch, __u64 interval_ns)
{
	const struct listing *found = list_read(watch->list);

	if (!found)
		return false;
	for (size_t i = 0; i < found->nr_objects; i++) {
		const struct list_object *object = &found->objects[i];

		if (object->type == LIST_TYPE_FAULT &&
		    is_wanted(watch, object->ctx))
			table_queue(&watch->table, object->ctx, 0, object->id)
				->waiting = object->faults;
	}
	print_sums(&watch->table, loop_clock(CLOCK_REALTIME), interval_ns,
		   count_lost(watch), &watch->options);
	table_begin(&watch->table);
	return true;
}

static int sum_faults(struct watch *watch)
{
	int fd = ring_buffer__epoll_fd(watch->ring), status = EXIT_SUCCESS;
	__u64 begin = loop_clock(CLOCK_MONOTONIC), now;
	struct loop *loop = &watch->options.loop;
	enum loop_event event;

	do {
		event = loop_wait(loop, fd);
		ring_buffer__consume(watch->ring);
		if (event == LOOP_INPUT)
			continue;
		now = loop_clock(CLOCK_MONOTONIC);
		if (!sum_up(watch, now - begin))
			return EXIT_FAILURE;
		begin = now;
		if (!loop_flush(&status) || loop_done(loop))
			break;
	} while (event != LOOP_END);
	return status;
}

/*
 * Attaches the program for reports last, so that all later events of a fault
 * that it sees are seen, too. Returns false after reporting an error.
 */
static bool open_bpf(struct watch *watch)
{
	struct iommufd_faults *bpf = iommufd_faults__open_and_load();
	int err = -errno;

	watch->bpf = bpf;
	if (bpf) {
		bpf_program__set_autoattach(bpf->progs.fault_report, false);
		err = iommufd_faults__attach(bpf);
	}
	if (!err) {
		bpf->links.fault_report =
			bpf_program__attach(bpf->progs.fault_report);
		if (bpf->links.fault_report)
			watch->ring =
				ring_buffer__new(bpf_map__fd(bpf->maps.records),
						 take, watch, NULL);
		err = watch->ring ? 0 : -errno;
	}
	if (err)
		tool_refused(-err);
	return !err;
}

int main(int argc, char **argv)
{
	struct watch *watch = tool_memory(calloc(1, sizeof(*watch)));
	int status = EXIT_FAILURE;

	options_parse(&watch->options, argc, argv);
	if (watch->options.dma) {
		status = dma_run(&watch->options);
		free(watch);
		return status;
	}
	table_init(&watch->table);
	if (!tool_check(watch->options.common.verbose))
		return EXIT_FAILURE;
	if (open_bpf(watch))
		watch->list = list_open(SOURCE_OURS);
	if (watch->list && read_contexts(watch)) {
		loop_begin(&watch->options.loop);
		tool_ready("page faults and events of vIOMMUs");
		status = is_listed(watch) ? list_faults(watch) :
					    sum_faults(watch);
	}
	list_close(watch->list);
	ring_buffer__free(watch->ring);
	iommufd_faults__destroy(watch->bpf);
	table_free(&watch->table);
	free(watch);
	return status;
}
