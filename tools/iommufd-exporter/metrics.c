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

/* A process that has ended has no limit. */
static bool has_told(const struct context *context, enum told told)
{
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
		fprintf(out, "%s%s{ctx=\"%u\",pid=\"%u\",comm=", family->name,
			told >= TOLD_MAPS ? "_total" : "", info->ctx,
			info->tgid);
		openmetrics_value(out, info->comm, sizeof(info->comm));
		fputs("} ", out);
		print_told(out, context, told);
		fputc('\n', out);
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
	static const char *const bounds[EXPORTER_BUCKETS] = {
		"1e-06", "1e-05", "0.0001", "0.001", "0.01",
		"0.1",	 "1.0",	  "10.0",   "+Inf",
	};

	openmetrics_family(out, &requests);
	for (int op = 0; op < IOAS_OPS; op++) {
		const char *name = operation_names[op].name;
		const struct exporter_requests *of = &counts->requests[op];
		__u64 sum = 0;

		for (int i = 0; i < EXPORTER_BUCKETS; i++) {
			sum += of->count[i];
			fprintf(out, "%s_bucket{op=\"%s\",le=\"%s\"} %llu\n",
				requests.name, name, bounds[i], sum);
		}
		fprintf(out, "%s_count{op=\"%s\"} %llu\n", requests.name, name,
			sum);
		fprintf(out, "%s_sum{op=\"%s\"} ", requests.name, name);
		openmetrics_seconds(out, of->sum_ns);
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
	for (int told = 0; told < TOLD; told++)
		print_contexts(out, metrics, told);
	print_failures(out, &metrics->counts);
	print_requests(out, &metrics->counts);
	print_number(out, &page_faults, "_total", metrics->counts.page_faults);
	print_number(out, &lost_events, "_total", metrics->lost_events);
	print_number(out, &lost_entries, "_total", metrics->lost_entries);
	fputs("# EOF\n", out);
}
