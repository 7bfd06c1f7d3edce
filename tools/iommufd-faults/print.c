// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include "../lib/fmt.h"
#include "../lib/identity.h"
#include "../lib/hist.h"
#include "../lib/json.h"
#include "print.h"

static const char *const end_names[ENDS] = {
	[END_WAITING] = "waiting", [END_RETRY] = "retry",
	[END_INVALID] = "invalid", [END_ABORTED] = "aborted",
	[END_REFUSED] = "refused",
};

/* For a context that was opened and closed while events were lost. */
static const struct ctx nobody = { .comm = "?" };

/* enum iommu_hwpt_pgfault_perm */
static const char *perm_text(char *buf, __u32 perm)
{
	snprintf(buf, FMT_LEN, "%c%c%c%c", perm & 1 ? 'r' : '-',
		 perm & 2 ? 'w' : '-', perm & 4 ? 'x' : '-',
		 perm & 8 ? 'p' : '-');
	return buf;
}

static void print_us(__u64 ns)
{
	if (ns)
		printf(" %10.1f", ns / 1e3);
	else
		printf(" %10s", "-");
}

static void print_begin(const struct ctx *ctx, __u64 time_ns,
			const struct options *options)
{
	char clock[16], comm[FAULTS_COMM_LEN];

	if (options->common.timestamp)
		printf("%-8s ", loop_time_at(clock, time_ns));
	ctx = ctx ?: &nobody;
	printf("%7u %-15s ", ctx->tgid,
	       fmt_name(comm, sizeof(comm), ctx->comm));
}

void print_titles(const struct options *options)
{
	if (options->common.json)
		return;
	if (options->common.timestamp)
		printf("%-8s ", "TIME");
	printf("%7s %-15s %5s %5s %10s %12s %7s %4s %16s %6s %10s %10s %s\n",
	       "PID", "COMMAND", "CTX", "QUEUE", "COOKIE", "DEVICE", "PASID",
	       "PERM", "ADDR", "FAULTS", "READ(us)", "ANSWER(us)", "END");
}

static struct json_object *line_of(const char *kind, const struct ctx *ctx,
				   const struct faults_record *record,
				   __u64 time_ns)
{
	struct json_object *line = json_object_new_object();

	json_add_text(line, "kind", kind);
	json_add_u64(line, "time_ns", time_ns);
	ctx = ctx ?: &nobody;
	json_add_u64(line, "pid", ctx->tgid);
	json_add_text(line, "command", ctx->comm);
	identity_add_vm(line, ctx->tgid);
	json_add_u64(line, "ctx", record->ctx);
	json_add_u64(line, "queue", record->queue);
	return line;
}

/* A duration of 0 is unknown. */
static void add_ns(struct json_object *to, const char *name, __u64 ns)
{
	if (ns)
		json_add_u64(to, name, ns);
	else
		json_add(to, name, NULL);
}

static void print_ended_json(const struct ended *ended)
{
	const struct faults_record *report = &ended->group->report;
	struct json_object *line;

	line = line_of("fault", ended->ctx, report, ended->time_ns);
	json_add_u64(line, "cookie", report->cookie);
	json_add_bool(line, "report_seen", report->time_ns);
	json_add_u64(line, "device_id", report->device);
	if (*ended->device)
		json_add_text(line, "device", ended->device);
	else
		json_add(line, "device", NULL);
	json_add_u64(line, "pasid", report->pasid);
	json_add_u64(line, "perm", report->perm);
	json_add_u64(line, "iova", report->addr);
	json_add_u64(line, "faults", report->faults);
	json_add_text(line, "end", end_names[ended->end]);
	json_add_u64(line, "errno", -report->ret);
	json_add_bool(line, "was_read", ended->group->read);
	add_ns(line, "read_ns", ended->group->read_ns);
	add_ns(line, "wait_ns", ended->wait_ns);
	json_print(line);
}

void print_ended(const struct ended *ended, const struct options *options)
{
	const struct faults_record *report = &ended->group->report;
	char perm[FMT_LEN], id[16];

	if (options->common.json) {
		print_ended_json(ended);
		return;
	}
	snprintf(id, sizeof(id), "id %u", report->device);
	print_begin(ended->ctx, ended->time_ns, options);
	printf("%5u %5u %10u", report->ctx, report->queue, report->cookie);
	if (report->time_ns)
		printf(" %12s %7u %4s %16llx %6u",
		       *ended->device ? ended->device : id, report->pasid,
		       perm_text(perm, report->perm), report->addr,
		       report->faults);
	else
		printf(" %12s %7s %4s %16s %6s", "-", "-", "-", "-", "-");
	print_us(ended->group->read_ns);
	print_us(ended->wait_ns);
	if (ended->end == END_REFUSED)
		printf(" %s: %s\n", end_names[ended->end],
		       strerror(-report->ret));
	else
		printf(" %s\n", end_names[ended->end]);
}

void print_vevent(const struct faults_record *event, const struct ctx *ctx,
		  __u64 time_ns, const struct options *options)
{
	struct json_object *line;

	if (options->common.json) {
		line = line_of("vevent", ctx, event, time_ns);
		json_add_u64(line, "viommu", event->device);
		json_add_u64(line, "type", event->type);
		json_add_u64(line, "length_bytes", event->length);
		json_add_u64(line, "sequence", event->cookie);
		json_add_u64(line, "lost_by_queue", event->lost);
		json_add_u64(line, "errno", -event->ret);
		json_print(line);
		return;
	}
	print_begin(ctx, time_ns, options);
	printf("%5u %5u %10u vIOMMU %u: event of type 0x%x, %u bytes",
	       event->ctx, event->queue, event->cookie, event->device,
	       event->type, event->length);
	if (event->ret)
		printf(", refused: %s", strerror(-event->ret));
	printf(", lost so far: %llu\n", event->lost);
}

static void print_latency(const struct latency *latency)
{
	__u64 max = latency->slots.max;
	char buf[FMT_LEN];

	if (!slots_total(&latency->slots)) {
		printf(" %5s %5s %5s", "-", "-", "-");
		return;
	}
	printf(" %5s", fmt_ns(buf, hist_percentile(latency->hist, 50, max)));
	printf(" %5s", fmt_ns(buf, hist_percentile(latency->hist, 99, max)));
	printf(" %5s", fmt_ns(buf, max));
}

static void print_fault_queues(const struct table *table)
{
	bool titles = false;

	for (size_t i = 0; i < table->nr_queues; i++) {
		const struct queue *queue = &table->queues[i];
		const struct ctx *ctx = table_ctx(table, queue->ctx) ?: &nobody;
		char comm[FAULTS_COMM_LEN];

		if (queue->viommu)
			continue;
		if (!titles)
			printf("%7s %-15s %5s %5s %8s %8s %8s %8s %8s %8s %8s %5s %5s %5s %5s %5s %5s\n",
			       "PID", "COMMAND", "CTX", "QUEUE", "REPORTED",
			       "REFUSED", "READ", "RETRY", "INVALID", "ABORTED",
			       "WAITING", "R-P50", "R-P99", "R-MAX", "A-P50",
			       "A-P99", "A-MAX");
		titles = true;
		printf("%7u %-15s %5u %5u", ctx->tgid,
		       fmt_name(comm, sizeof(comm), ctx->comm), queue->ctx,
		       queue->queue);
		printf(" %8llu %8llu %8llu %8llu %8llu %8llu %8llu",
		       queue->reported, queue->ends[END_REFUSED], queue->read,
		       queue->ends[END_RETRY], queue->ends[END_INVALID],
		       queue->ends[END_ABORTED], queue->waiting);
		print_latency(&queue->to_read);
		print_latency(&queue->to_answer);
		putchar('\n');
	}
}

static void print_event_queues(const struct table *table)
{
	bool titles = false;

	for (size_t i = 0; i < table->nr_queues; i++) {
		const struct queue *queue = &table->queues[i];
		const struct ctx *ctx = table_ctx(table, queue->ctx) ?: &nobody;
		char comm[FAULTS_COMM_LEN];

		if (!queue->viommu)
			continue;
		if (!titles)
			printf("%7s %-15s %5s %5s %6s %8s %8s %8s\n", "PID",
			       "COMMAND", "CTX", "QUEUE", "VIOMMU", "EVENTS",
			       "REFUSED", "LOST");
		titles = true;
		printf("%7u %-15s %5u %5u %6u %8llu %8llu %8llu\n", ctx->tgid,
		       fmt_name(comm, sizeof(comm), ctx->comm), queue->ctx,
		       queue->queue, queue->viommu, queue->events,
		       queue->refused, queue->lost);
	}
}

static void print_histogram(const struct table *table)
{
	struct slots to_read = {}, to_answer = {};
	const struct slots_column columns[] = {
		{ "answer", &to_answer },
		{ "read", &to_read },
	};

	for (size_t i = 0; i < table->nr_queues; i++) {
		slots_merge(&to_read, &table->queues[i].to_read.slots);
		slots_merge(&to_answer, &table->queues[i].to_answer.slots);
	}
	if (slots_total(&to_read) || slots_total(&to_answer))
		slots_print("nsecs", columns, 2);
}

static struct json_object *latency_object(const struct latency *latency)
{
	struct json_object *out = slots_object(&latency->slots);
	__u64 max = latency->slots.max;

	json_add_u64(out, "p50_ns", hist_percentile(latency->hist, 50, max));
	json_add_u64(out, "p99_ns", hist_percentile(latency->hist, 99, max));
	return out;
}

static struct json_object *queue_object(const struct table *table,
					const struct queue *queue)
{
	const struct ctx *ctx = table_ctx(table, queue->ctx) ?: &nobody;
	struct json_object *out = json_object_new_object();

	json_add_u64(out, "pid", ctx->tgid);
	json_add_text(out, "command", ctx->comm);
	identity_add_vm(out, ctx->tgid);
	json_add_u64(out, "ctx", queue->ctx);
	json_add_u64(out, "queue", queue->queue);
	if (queue->viommu) {
		json_add_u64(out, "viommu", queue->viommu);
		json_add_u64(out, "events", queue->events);
		json_add_u64(out, "refused", queue->refused);
		json_add_u64(out, "lost_by_queue", queue->lost);
		return out;
	}
	json_add_u64(out, "reported", queue->reported);
	json_add_u64(out, "read", queue->read);
	for (int i = END_RETRY; i < ENDS; i++)
		json_add_u64(out, end_names[i], queue->ends[i]);
	json_add_u64(out, "faults_waiting", queue->waiting);
	json_add(out, "to_read", latency_object(&queue->to_read));
	json_add(out, "to_answer", latency_object(&queue->to_answer));
	return out;
}

static void print_sums_json(const struct table *table, __u64 time_ns,
			    __u64 interval_ns, __u64 lost)
{
	struct json_object *line = json_object_new_object();
	struct json_object *faults = json_object_new_array();
	struct json_object *vevents = json_object_new_array();

	json_add_u64(line, "time_ns", time_ns);
	json_add_u64(line, "interval_ns", interval_ns);
	json_add_u64(line, "lost_events", lost);
	for (size_t i = 0; i < table->nr_queues; i++) {
		const struct queue *queue = &table->queues[i];

		json_object_array_add(queue->viommu ? vevents : faults,
				      queue_object(table, queue));
	}
	json_add(line, "fault_queues", faults);
	json_add(line, "vevent_queues", vevents);
	json_print(line);
}

void print_sums(const struct table *table, __u64 time_ns, __u64 interval_ns,
		__u64 lost, const struct options *options)
{
	char clock[16];

	if (options->common.json) {
		print_sums_json(table, time_ns, interval_ns, lost);
		return;
	}
	if (options->common.timestamp)
		printf("%s\n", loop_time_at(clock, time_ns));
	if (!table->nr_queues)
		printf("no queues\n");
	print_fault_queues(table);
	print_event_queues(table);
	if (options->histogram)
		print_histogram(table);
	if (lost)
		printf("LOST: %llu events are missing here\n", lost);
	putchar('\n');
}
