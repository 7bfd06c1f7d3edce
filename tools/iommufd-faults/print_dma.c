// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <time.h>
#include "../lib/fmt.h"
#include "../lib/identity.h"
#include "../lib/json.h"
#include "dma.h"

static const char *const access_names[] = {
	[DMA_FAULT_UNKNOWN] = "-",
	[DMA_FAULT_READ] = "read",
	[DMA_FAULT_WRITE] = "write",
};

static const char *const cause_names[] = {
	[DMA_FAULT_OTHER] = "other", [DMA_FAULT_UNMAPPED] = "unmapped",
	[DMA_FAULT_RIGHT] = "right", [DMA_FAULT_EITHER] = "unmapped_or_right",
	[DMA_FAULT_RANGE] = "range", [DMA_FAULT_BLOCKED] = "blocked",
};

void print_dma_titles(const struct options *options)
{
	if (options->common.json)
		return;
	if (options->common.timestamp)
		printf("%-8s ", "TIME");
	printf("%7s %-15s %-15s %-12s %-6s %18s %s\n", "PID", "COMMAND", "VM",
	       "DEVICE", "ACCESS", "ADDR", "CAUSE");
}

static struct json_object *object_of(const struct burst *burst)
{
	const struct dma_fault *fault = &burst->last;
	struct json_object *out = json_object_new_object();
	const struct holder *holder = &burst->holder;

	json_add(out, "pid",
		 holder->pid ? json_object_new_int64(holder->pid) : NULL);
	json_add(out, "command",
		 holder->pid ? json_object_new_string(holder->comm) : NULL);
	identity_add_vm(out, holder->pid);
	json_add_text(out, "device", fault->device);
	identity_add_device(out, fault->device);
	json_add(out, "access",
		 fault->access ?
			 json_object_new_string(access_names[fault->access]) :
			 NULL);
	json_add_u64(out, "iova", fault->iova);
	json_add(out, "pasid",
		 fault->pasid == DMA_FAULT_NO_PASID ?
			 NULL :
			 json_object_new_int64(fault->pasid));
	json_add_text(out, "cause", cause_names[fault->cause]);
	json_add_text(out, "reported_by", fault->iommu);
	json_add_text(out, "report", fault->reason);
	json_add_u64(out, "faults", burst->count);
	print_why_json(out, burst);
	return out;
}

static void print_row(const struct burst *burst)
{
	const struct dma_fault *fault = &burst->last;
	const struct holder *holder = &burst->holder;
	const char *vm = holder->pid ? identity_vm_name(holder->pid) : "";
	char pid[16] = "-", name[32], device[32];

	if (holder->pid)
		snprintf(pid, sizeof(pid), "%u", holder->pid);
	printf("%7s %-15s %-15.15s %-12s %-6s 0x%016llx ", pid,
	       holder->pid ? holder->comm : "-",
	       *vm ? fmt_name(name, sizeof(name), vm) : "-",
	       fmt_name(device, sizeof(device), fault->device),
	       access_names[fault->access], fault->iova);
}

void print_dma_fault(const struct burst *burst, const struct options *options)
{
	const struct dma_fault *fault = &burst->last;
	__u64 time_ns = loop_clock(CLOCK_REALTIME);
	char clock[16], reason[sizeof(fault->reason)];
	struct json_object *line;

	if (options->common.json) {
		line = object_of(burst);
		json_add_text(line, "kind", "dma_fault");
		json_add_u64(line, "time_ns", time_ns);
		json_print(line);
		return;
	}
	if (options->common.timestamp)
		printf("%-8s ", loop_time_at(clock, time_ns));
	print_row(burst);
	printf("%s (%s: %s)", dma_fault_cause_text(fault->cause), fault->iommu,
	       fmt_name(reason, sizeof(reason), fault->reason));
	if (burst->count > 1)
		printf(", the last of %llu", burst->count);
	putchar('\n');
	print_why(burst);
}

static void print_sums_json(const struct burst *bursts, size_t nr,
			    __u64 time_ns, __u64 interval_ns, __u64 lost)
{
	struct json_object *line = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	json_add_u64(line, "time_ns", time_ns);
	json_add_u64(line, "interval_ns", interval_ns);
	json_add_u64(line, "lost_events", lost);
	for (size_t i = 0; i < nr; i++)
		if (bursts[i].count)
			json_object_array_add(rows, object_of(&bursts[i]));
	json_add(line, "dma_faults", rows);
	json_print(line);
}

void print_dma_sums(const struct burst *bursts, size_t nr, __u64 interval_ns,
		    __u64 lost, const struct options *options)
{
	__u64 time_ns = loop_clock(CLOCK_REALTIME);
	bool titles = false;
	char clock[16];

	if (options->common.json) {
		print_sums_json(bursts, nr, time_ns, interval_ns, lost);
		return;
	}
	if (options->common.timestamp)
		printf("%s\n", loop_time_at(clock, time_ns));
	for (size_t i = 0; i < nr; i++) {
		if (!bursts[i].count)
			continue;
		if (!titles)
			printf("%7s %-15s %-15s %-12s %-6s %18s %8s %s\n",
			       "PID", "COMMAND", "VM", "DEVICE", "ACCESS",
			       "LAST", "FAULTS", "CAUSE");
		titles = true;
		print_row(&bursts[i]);
		printf("%8llu %s\n", bursts[i].count,
		       dma_fault_cause_text(bursts[i].last.cause));
		print_why(&bursts[i]);
	}
	if (!titles)
		printf("no faults\n");
	if (lost)
		printf("LOST: messages of the log are missing here\n");
	putchar('\n');
}
