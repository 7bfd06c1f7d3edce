// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/kmsg.h"
#include "../lib/tool.h"
#include "dma.h"
#include "where.h"

#define SECOND_NS 1000000000ULL
/* Faults of a burst that follow the last explanation so soon get none. */
#define EXPLAIN_NS (SECOND_NS / 10)
/* Kinds of faults that are told apart; there are few devices in one machine. */
#define BURSTS 256

/**
 * struct dma - state
 * @is_listed: no INTERVAL was given
 * @fd: the log
 * @log: for reports of two lines
 * @lost: messages that were overwritten before they were read
 * @where: explains the addresses
 */
struct dma {
	bool is_listed;
	int fd;
	struct dma_fault_log log;
	__u64 lost;
	struct where *where;
	struct burst bursts[BURSTS];
	size_t nr;
	struct options *options;
};

static struct burst *find(struct dma *dma, const struct dma_fault *fault)
{
	for (size_t i = 0; i < dma->nr; i++) {
		const struct dma_fault *last = &dma->bursts[i].last;

		if (last->access == fault->access &&
		    last->cause == fault->cause &&
		    !strcmp(last->device, fault->device))
			return &dma->bursts[i];
	}
	return NULL;
}

/* A new kind takes the place of the oldest one if there are too many. */
static struct burst *add(struct dma *dma)
{
	struct burst *oldest = &dma->bursts[0];

	if (dma->nr < BURSTS)
		return &dma->bursts[dma->nr++];
	for (size_t i = 1; i < BURSTS; i++)
		if (dma->bursts[i].last_ns < oldest->last_ns)
			oldest = &dma->bursts[i];
	return oldest;
}

static void explain(struct dma *dma, struct burst *burst)
{
	where_explain(dma->where, &burst->last, burst->holder.pid, &burst->why);
}

/* The explanation must be that of the address which is printed. */
static void explain_last(struct dma *dma, struct burst *burst)
{
	if (burst->count && burst->why.iova != burst->last.iova)
		explain(dma, burst);
}

static void print(struct dma *dma, struct burst *burst)
{
	explain_last(dma, burst);
	if (burst->count)
		print_dma_fault(burst, dma->options);
	burst->count = 0;
}

/* The first fault of a burst is printed at once, others once a second. */
static void take(struct dma *dma, const struct dma_fault *fault)
{
	unsigned long pid = dma->options->common.pid;
	__u64 now = loop_clock(CLOCK_MONOTONIC);
	struct holder holder = {};
	struct burst *burst;

	if (!holder_is_vfio(fault->device))
		return;
	burst = find(dma, fault);
	if (burst && now - burst->last_ns < SECOND_NS) {
		burst->last = *fault;
		burst->last_ns = now;
		burst->count++;
		if (now - burst->why.now_ns >= EXPLAIN_NS)
			explain(dma, burst);
		return;
	}
	holder_of_device(&holder, fault->device);
	if (pid && holder.pid != pid)
		return;
	if (!burst)
		burst = add(dma);
	*burst = (struct burst){
		.last = *fault,
		.holder = holder,
		.count = burst->count + 1,
		.last_ns = now,
	};
	explain(dma, burst);
	if (dma->is_listed)
		print(dma, burst);
}

static void read_log(struct dma *dma)
{
	__u64 lost = dma->lost;
	struct dma_fault fault;
	char line[1024];

	while (kmsg_read(dma->fd, line, sizeof(line), &dma->lost))
		if (dma_fault_read(&dma->log, line, &fault))
			take(dma, &fault);
	if (dma->is_listed && dma->lost != lost)
		err_say("messages of the log were lost, %llu times so far",
			dma->lost);
}

static void tick(struct dma *dma, __u64 interval_ns)
{
	if (dma->is_listed) {
		for (size_t i = 0; i < dma->nr; i++)
			print(dma, &dma->bursts[i]);
		return;
	}
	for (size_t i = 0; i < dma->nr; i++)
		explain_last(dma, &dma->bursts[i]);
	print_dma_sums(dma->bursts, dma->nr, interval_ns, dma->lost,
		       dma->options);
	for (size_t i = 0; i < dma->nr; i++)
		dma->bursts[i].count = 0;
}

static int watch(struct dma *dma)
{
	struct loop *loop = &dma->options->loop;
	__u64 begin = loop_clock(CLOCK_MONOTONIC), now;
	int status = EXIT_SUCCESS;
	enum loop_event event;

	if (dma->is_listed)
		print_dma_titles(dma->options);
	do {
		if (!loop_flush(&status))
			return status;
		event = loop_wait(loop, dma->fd);
		read_log(dma);
		if (event == LOOP_INPUT)
			continue;
		now = loop_clock(CLOCK_MONOTONIC);
		tick(dma, now - begin);
		begin = now;
		if (!dma->is_listed && loop_done(loop))
			break;
	} while (event != LOOP_END);
	loop_flush(&status);
	return status;
}

int dma_run(struct options *options)
{
	struct dma *dma = tool_memory(calloc(1, sizeof(*dma)));
	int status = EXIT_FAILURE;

	dma->options = options;
	dma->is_listed = !options->loop.interval;
	dma->fd = kmsg_open();
	if (dma->fd >= 0) {
		/* Without INTERVAL, one second for the rest of a burst. */
		if (dma->is_listed)
			options->loop.interval = 1;
		dma->where =
			where_open(options->common.verbose, options->history);
		loop_begin(&options->loop);
		tool_ready("DMA that IOMMUs refuse");
		where_report(dma->where);
		status = watch(dma);
		where_close(dma->where);
		close(dma->fd);
	}
	free(dma);
	return status;
}
