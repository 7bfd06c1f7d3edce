// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdbool.h>
#include <unistd.h>
#include "../lib/names.h"
#include "../lib/operation.h"
#include "metrics.h"
#include "openmetrics.h"

/*
 * Metrics of each context; the last ones are in the order of enum
 * exporter_total.
 */
enum told {
	TOLD_PINNED,
	TOLD_LOCKED,
	TOLD_LIMIT,
	TOLD_MAPPED,
	TOLD_AREAS,
	TOLD_TABLES,
	TOLD_WAITING,
	TOLD_MAPS,
	TOLD_UNMAPS,
	TOLD_INVALIDATIONS,
	TOLD,
};

static const struct family context_families[TOLD] = {
	[TOLD_PINNED] = { "iommufd_context_pinned_bytes", "gauge", "bytes",
			  "Memory pinned through the context." },
	[TOLD_LOCKED] = { "iommufd_context_locked_bytes", "gauge", "bytes",
			  "Memory that counts towards the limit: all that the process, or all processes of its user, have locked." },
	[TOLD_LIMIT] = { "iommufd_context_limit_bytes", "gauge", "bytes",
			 "RLIMIT_MEMLOCK of the process, +Inf if the limit does not apply." },
	[TOLD_MAPPED] = { "iommufd_context_mapped_bytes", "gauge", "bytes",
			  "IOVA space that is mapped, in all IOAS of the context." },
	[TOLD_AREAS] = { "iommufd_context_areas", "gauge", NULL,
			 "Mappings, in all IOAS of the context." },
	[TOLD_TABLES] = { "iommufd_context_page_table_bytes", "gauge", "bytes",
			  "Memory of the page tables of the context." },
	[TOLD_WAITING] = { "iommufd_context_faults_waiting", "gauge", NULL,
			   "Page fault groups that wait for a response." },
	[TOLD_MAPS] = { "iommufd_context_maps", "counter", NULL,
			"Map requests that succeeded." },
	[TOLD_UNMAPS] = { "iommufd_context_unmaps", "counter", NULL,
			  "Unmap requests that unmapped something." },
	[TOLD_INVALIDATIONS] = { "iommufd_context_invalidations", "counter",
				 NULL,
				 "Requests to invalidate guest page tables that succeeded at least in part." },
};

static const struct family build = {
	"iommufd_exporter_build",
	"info",
	NULL,
	"Version of the exporter.",
};
static const struct family contexts = {
	"iommufd_contexts",
	"gauge",
	NULL,
	"Open files of /dev/iommu.",
};
static const struct family left_out = {
	"iommufd_exporter_contexts_left_out",
	"gauge",
	NULL,
	"Contexts that have no metrics of their own, because there are too many.",
};
static const struct family context_info = {
	"iommufd_context",
	"info",
	NULL,
	"The process that opened a context, its user, its name at that time, and what pins are charged to.",
};
static const struct family device_info = {
	"iommufd_device",
	"info",
	NULL,
	"A device that is bound to a context; its name and group are empty if it was bound before the exporter started.",
};
static const struct family device_faults = {
	"iommufd_device_page_faults",
	"counter",
	NULL,
	"Page faults that a device reported to user space.",
};
static const struct family refused_dma = {
	"iommufd_refused_dma",
	"counter",
	NULL,
	"DMA of devices that IOMMUs refused, as far as their drivers log it.",
};
static const struct family context_failures = {
	"iommufd_context_failures",
	"counter",
	NULL,
	"Requests on a context that failed, by reason.",
};
static const struct family policy_refusals = {
	"iommufd_policy_refusals",
	"counter",
	NULL,
	"Requests that a BPF policy refused or limited.",
};
static const struct family lock_time = {
	"iommufd_request_lock_seconds",
	"counter",
	"seconds",
	"Time that successful map and unmap requests waited for locks.",
};
static const struct family table_memory = {
	"iommufd_machine_page_table_bytes",
	"gauge",
	"bytes",
	"Memory of the page tables of all IOMMUs of the machine.",
};
static const struct family failures = {
	"iommufd_failures",
	"counter",
	NULL,
	"Requests of user space that failed, by reason.",
};
static const struct family requests = {
	"iommufd_request_seconds",
	"histogram",
	"seconds",
	"Durations of map and unmap requests that succeeded.",
};
static const struct family page_faults = {
	"iommufd_page_faults",
	"counter",
	NULL,
	"Page faults that devices reported to user space.",
};
static const struct family lost_events = {
	"iommufd_exporter_lost_events",
	"counter",
	NULL,
	"Events that are missing from the counters.",
};
static const struct family lost_entries = {
	"iommufd_exporter_lost_entries",
	"counter",
	NULL,
	"Contexts and objects that did not fit a list.",
};

static const struct family limit_left_out = {
	"iommufd_exporter_owners_left_out",
	"gauge",
	NULL,
	"Owners that have no metrics of their own, because others have more memory.",
};

static void print_bytes(FILE *out, __u64 pages)
{
	fprintf(out, "%llu", pages * getpagesize());
}

static void print_told(FILE *out, const struct context *context, enum told told)
{
	switch (told) {
	case TOLD_PINNED:
		print_bytes(out, context->info->pinned);
		break;
	case TOLD_LOCKED:
		print_bytes(out, owner_used(&context->owner));
		break;
	case TOLD_LIMIT:
		if (~owner_limit(&context->owner))
			print_bytes(out, owner_limit(&context->owner));
		else
			fputs("+Inf", out);
		break;
	case TOLD_MAPPED:
		fprintf(out, "%llu", context->mapped);
		break;
	case TOLD_AREAS:
		fprintf(out, "%llu", context->areas);
		break;
	case TOLD_TABLES:
		print_bytes(out, context->table_pages);
		break;
	case TOLD_WAITING:
		fprintf(out, "%llu", context->waiting);
		break;
	case TOLD_MAPS:
	case TOLD_UNMAPS:
	case TOLD_INVALIDATIONS:
		fprintf(out, "%llu", context->totals.count[told - TOLD_MAPS]);
		break;
	case TOLD:
		break;
	}
}

/*
 * A process that has ended has no limit, and the page tables of some IOMMUs
 * can't be read.
 */
static bool has_told(const struct context *context, enum told told)
{
	if (told == TOLD_TABLES)
		return context->table_pages != LIST_UNKNOWN;
	return context->owner.now.found ||
	       (told != TOLD_LOCKED && told != TOLD_LIMIT);
}

static void print_contexts(FILE *out, const struct metrics *metrics,
			   enum told told)
{
	const struct family *family = &context_families[told];

	openmetrics_family(out, family);
	for (size_t i = 0; i < metrics->nr_contexts; i++) {
		const struct context *context = &metrics->contexts[i];
		const struct list_ctx *info = context->info;

		if (!has_told(context, told))
			continue;
		fprintf(out, "%s%s{ctx=\"%u\"} ", family->name,
			told >= TOLD_MAPS ? "_total" : "", info->ctx);
		print_told(out, context, told);
		fputc('\n', out);
	}
}

static void print_context_info(FILE *out, const struct metrics *metrics)
{
	static const char *const modes[] = { "user", "mm", "none" };

	openmetrics_family(out, &context_info);
	for (size_t i = 0; i < metrics->nr_contexts; i++) {
		const struct context *context = &metrics->contexts[i];
		const struct list_ctx *info = context->info;

		fprintf(out,
			"%s_info{ctx=\"%u\",pid=\"%u\",uid=\"%u\",mode=\"%s\",comm=",
			context_info.name, info->ctx, info->tgid,
			context->owner.now.uid, modes[context->owner.mode]);
		openmetrics_value(out, info->comm, sizeof(info->comm));
		fputs("} 1\n", out);
	}
}

static void print_devices(FILE *out, const struct metrics *metrics)
{
	openmetrics_family(out, &device_info);
	for (size_t i = 0; i < metrics->nr_devices; i++) {
		const struct device *device = &metrics->devices[i];
		const struct exporter_device *seen = &device->seen;

		fprintf(out, "%s_info{ctx=\"%u\",device_id=\"%u\",group=\"",
			device_info.name, device->ctx, device->id);
		if (*seen->name)
			fprintf(out, "%u", seen->group);
		fputs("\",device=", out);
		openmetrics_value(out, seen->name, sizeof(seen->name));
		fputs("} 1\n", out);
	}
	openmetrics_family(out, &device_faults);
	for (size_t i = 0; i < metrics->nr_devices; i++)
		fprintf(out, "%s_total{ctx=\"%u\",device_id=\"%u\"} %llu\n",
			device_faults.name, metrics->devices[i].ctx,
			metrics->devices[i].id,
			metrics->devices[i].seen.faults);
}

static void print_refused_dma(FILE *out, const struct dma_count *dma)
{
	char device[DMA_COUNT_NAME];
	__u64 count;

	if (!dma)
		return;
	openmetrics_family(out, &refused_dma);
	for (size_t i = 0; (count = dma_count_at(dma, i, device)); i++) {
		fprintf(out, "%s_total{device=", refused_dma.name);
		openmetrics_value(out, device, sizeof(device));
		fprintf(out, "} %llu\n", count);
	}
}

static void print_context_failures(FILE *out, const struct metrics *metrics)
{
	openmetrics_family(out, &context_failures);
	for (size_t i = 0; i < metrics->nr_failed; i++) {
		const struct failed *failed = &metrics->failed[i];
		const char *reason = names_reason(failed->key.id);

		fprintf(out, "%s_total{ctx=\"%u\",reason=\"",
			context_failures.name, failed->key.ctx);
		/* Two unknown reasons must not be the same sample. */
		if (reason)
			fputs(reason, out);
		else
			fprintf(out, "%u", failed->key.id);
		fprintf(out, "\"} %llu\n", failed->count);
	}
}

static void print_policies(FILE *out, const struct metrics *metrics)
{
	openmetrics_family(out, &policy_refusals);
	for (size_t i = 0; i < metrics->nr_refused; i++) {
		const struct refused *refused = &metrics->refused[i];

		fprintf(out, "%s_total{policy=", policy_refusals.name);
		openmetrics_value(out, refused->policy,
				  sizeof(refused->policy));
		fprintf(out, "} %llu\n", refused->count);
	}
}

/* Print all reasons from the start, so that a first failure is an increase. */
static void print_failures(FILE *out, const struct exporter_counts *counts)
{
	__u64 unknown = 0;

	openmetrics_family(out, &failures);
	for (__u32 i = 0; i < EXPORTER_REASONS; i++) {
		const char *name = names_reason(i);

		if (name)
			fprintf(out, "%s_total{reason=\"%s\"} %llu\n",
				failures.name, name, counts->failures[i]);
		else
			unknown += counts->failures[i];
	}
	if (unknown)
		fprintf(out, "%s_total{reason=\"unknown\"} %llu\n",
			failures.name, unknown);
}

static void print_requests(FILE *out, const struct exporter_counts *counts)
{
	openmetrics_family(out, &requests);
	for (int op = 0; op < IOAS_OPS; op++) {
		const char *name = operation_names[op].name;
		const struct exporter_requests *of = &counts->requests[op];
		__u64 sum = 0;

		for (int i = 0; i < EXPORTER_BUCKETS; i++) {
			sum += of->count[i];
			fprintf(out, "%s_bucket{op=\"%s\",le=\"", requests.name,
				name);
			if (i < EXPORTER_BUCKETS - 1)
				fprintf(out, "%.9g",
					EXPORTER_FIRST_NS / 1e9 * (1 << i));
			else
				fputs("+Inf", out);
			fprintf(out, "\"} %llu\n", sum);
		}
		fprintf(out, "%s_count{op=\"%s\"} %llu\n", requests.name, name,
			sum);
		fprintf(out, "%s_sum{op=\"%s\"} ", requests.name, name);
		openmetrics_seconds(out, of->sum_ns);
		fputc('\n', out);
	}
}

static void print_lock_time(FILE *out, const struct exporter_counts *counts)
{
	openmetrics_family(out, &lock_time);
	for (int op = 0; op < IOAS_OPS; op++) {
		fprintf(out, "%s_total{op=\"%s\"} ", lock_time.name,
			operation_names[op].name);
		openmetrics_seconds(out, counts->requests[op].lock_ns);
		fputc('\n', out);
	}
}

static void print_number(FILE *out, const struct family *family,
			 const char *suffix, __u64 value)
{
	openmetrics_family(out, family);
	openmetrics_sample(out, family, suffix, value);
}

void metrics_print(FILE *out, const struct metrics *metrics)
{
	print_number(out, &build, "_info{version=\"" VERSION "\"}", 1);
	print_number(out, &contexts, "",
		     metrics->nr_contexts + metrics->nr_left_out);
	print_number(out, &left_out, "", metrics->nr_left_out);
	print_number(out, &limit_left_out, "", metrics->limits.nr_left_out);
	if (~metrics->table_pages)
		print_number(out, &table_memory, "",
			     metrics->table_pages * getpagesize());
	print_context_info(out, metrics);
	print_devices(out, metrics);
	print_refused_dma(out, metrics->dma);
	print_context_failures(out, metrics);
	print_policies(out, metrics);
	limits_print(out, &metrics->limits);
	for (int told = 0; told < TOLD; told++)
		print_contexts(out, metrics, told);
	print_failures(out, &metrics->counts);
	print_requests(out, &metrics->counts);
	print_lock_time(out, &metrics->counts);
	print_number(out, &page_faults, "_total", metrics->counts.page_faults);
	print_number(out, &lost_events, "_total", metrics->lost_events);
	print_number(out, &lost_entries, "_total", metrics->lost_entries);
	openmetrics_end(out);
}
