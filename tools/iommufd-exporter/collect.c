// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include "../lib/err.h"
#include "../lib/tool.h"
#include "collect.h"
#include "iommufd_exporter.skel.h"
#include "iommufd_pins.skel.h"
#include "metrics.h"
#include "totals.h"

/**
 * struct collect - sources of the metrics
 * @bpf: counters since the start
 * @pins: limits
 * @list: current contexts and objects
 * @before: what contexts had done before the start
 * @most: maximum number of contexts with metrics of their own
 */
struct collect {
	struct iommufd_exporter *bpf;
	struct iommufd_pins *pins;
	struct list *list;
	struct totals before;
	unsigned long most;
};

/* Counting begins with the first event after this. */
static struct iommufd_exporter *open_bpf(void)
{
	struct iommufd_exporter *bpf = iommufd_exporter__open_and_load();
	int err;

	if (!bpf)
		return NULL;
	err = iommufd_exporter__attach(bpf);
	if (!err)
		return bpf;
	iommufd_exporter__destroy(bpf);
	errno = -err;
	return NULL;
}

/* Returns false after reporting an error. */
static bool begin(struct collect *collect)
{
	const struct listing *found = collect->list ? list_read(collect->list) :
						      NULL;

	if (!found)
		return false;
	totals_take(&collect->before, found);
	collect->pins = owner_open();
	if (collect->pins)
		collect->bpf = open_bpf();
	if (!collect->bpf)
		tool_refused(errno);
	return collect->bpf;
}

struct collect *collect_open(unsigned long contexts)
{
	struct collect *collect = tool_memory(calloc(1, sizeof(*collect)));

	collect->most = contexts;
	collect->list = list_open();
	if (begin(collect))
		return collect;
	collect_close(collect);
	return NULL;
}

void collect_close(struct collect *collect)
{
	list_close(collect->list);
	iommufd_exporter__destroy(collect->bpf);
	iommufd_pins__destroy(collect->pins);
	totals_free(&collect->before);
	free(collect);
}

static void read_totals(struct collect *collect, struct context *context)
{
	int map = bpf_map__fd(collect->bpf->maps.contexts);
	int cpus = libbpf_num_possible_cpus();
	struct exporter_totals each[cpus];

	totals_add(&collect->before, context->info->ctx, &context->totals);
	if (bpf_map_lookup_elem(map, &context->info->ctx, each))
		return;
	for (int cpu = 0; cpu < cpus; cpu++)
		for (int i = 0; i < EXPORTER_TOTALS; i++)
			context->totals.count[i] += each[cpu].count[i];
}

static void add_object(struct context *context,
		       const struct list_object *object)
{
	context->mapped += object->mapped;
	context->areas += object->areas;
	context->waiting += object->faults;
}

static void read_contexts(struct collect *collect, const struct listing *found,
			  struct metrics *metrics)
{
	size_t nr = found->nr_contexts, object = 0;
	int program = bpf_program__fd(collect->pins->progs.read_owner);

	/*
	 * Keep the oldest contexts, so that a context does not lose its
	 * metrics.
	 */
	if (nr > collect->most)
		nr = collect->most;
	metrics->nr_contexts = nr;
	metrics->nr_left_out = found->nr_contexts - nr;
	metrics->contexts =
		tool_memory(calloc(nr + 1, sizeof(*metrics->contexts)));
	for (size_t i = 0; i < nr; i++) {
		struct context *context = &metrics->contexts[i];

		context->info = &found->contexts[i];
		owner_read(program, context->info, &context->owner);
		read_totals(collect, context);
		for (; object < found->nr_objects &&
		       found->objects[object].ctx <= context->info->ctx;
		     object++)
			if (found->objects[object].ctx == context->info->ctx)
				add_object(context, &found->objects[object]);
	}
}

/* Both consist only of 64-bit numbers. */
static void add_counts(struct exporter_counts *to,
		       const struct exporter_counts *from)
{
	const __u64 *more = (const __u64 *)from;
	__u64 *sum = (__u64 *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += more[i];
}

static bool read_counts(struct collect *collect, struct exporter_counts *counts)
{
	int cpus = libbpf_num_possible_cpus();
	struct exporter_counts *each = tool_memory(calloc(cpus, sizeof(*each)));
	__u32 zero = 0;
	bool read;

	read = !bpf_map_lookup_elem(bpf_map__fd(collect->bpf->maps.counts),
				    &zero, each);
	for (int cpu = 0; cpu < cpus; cpu++)
		add_counts(counts, &each[cpu]);
	free(each);
	if (!read)
		err_say("can't read the counters: %s", strerror(errno));
	return read;
}

char *collect_metrics(void *data, size_t *size)
{
	struct collect *collect = data;
	const struct listing *found = list_read(collect->list);
	struct metrics metrics = {};
	char *text = NULL;
	FILE *out;

	if (!found || !read_counts(collect, &metrics.counts))
		return NULL;
	read_contexts(collect, found, &metrics);
	metrics.lost_events =
		collect->bpf->bss->lost + tool_misses(collect->bpf->obj);
	metrics.lost_entries = found->lost;
	out = tool_memory(open_memstream(&text, size));
	metrics_print(out, &metrics);
	fclose(out);
	free(metrics.contexts);
	return tool_memory(text);
}
