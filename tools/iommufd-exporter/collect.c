// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/dma_count.h"
#include "../lib/err.h"
#include "../lib/tool.h"
#include "../lib/vmstat.h"
#include "collect.h"
#include "iommufd_exporter.skel.h"
#include "iommufd_pins.skel.h"
#include "metrics.h"
#include "openmetrics.h"
#include "totals.h"

/**
 * struct collect - sources of the metrics
 * @bpf: counters since the start
 * @pins: limits
 * @list: current contexts and objects
 * @dma: DMA that IOMMUs refused, NULL if the log can't be read
 * @before: what contexts had done before the start
 * @most: maximum number of contexts with metrics of their own
 */
struct collect {
	struct iommufd_exporter *bpf;
	struct iommufd_pins *pins;
	struct list *list;
	struct dma_count *dma;
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
	collect->list = list_open(SOURCE_OURS);
	if (collect->list)
		list_count_tables(collect->list);
	collect->dma = dma_count_open();
	if (begin(collect))
		return collect;
	collect_close(collect);
	return NULL;
}

void collect_close(struct collect *collect)
{
	list_close(collect->list);
	dma_count_close(collect->dma);
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
	if (object->type == LIST_TYPE_HWPT_PAGING)
		list_add(&context->table_pages, object->table_pages);
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

static bool is_shown(const struct metrics *metrics, __u32 ctx)
{
	for (size_t i = 0; i < metrics->nr_contexts; i++)
		if (metrics->contexts[i].info->ctx == ctx)
			return true;
	return false;
}

/* Devices that were bound before the start have no event that names them. */
static void name_device(struct device *device, const struct list_object *object)
{
	if (*device->seen.name || !*object->name)
		return;
	memcpy(device->seen.name, object->name, sizeof(device->seen.name));
	device->seen.group = object->group;
}

static void read_devices(struct collect *collect, const struct listing *found,
			 struct metrics *metrics)
{
	int map = bpf_map__fd(collect->bpf->maps.devices);

	metrics->devices = tool_memory(calloc(found->nr_objects + 1,
					      sizeof(*metrics->devices)));
	for (size_t i = 0; i < found->nr_objects; i++) {
		const struct list_object *object = &found->objects[i];
		struct exporter_key key = { object->ctx, object->id };
		struct device *device = &metrics->devices[metrics->nr_devices];

		if (object->type != LIST_TYPE_DEVICE ||
		    !is_shown(metrics, object->ctx))
			continue;
		device->ctx = object->ctx;
		device->id = object->id;
		bpf_map_lookup_elem(map, &key, &device->seen);
		name_device(device, object);
		metrics->nr_devices++;
	}
}

static bool exists(const struct listing *found, __u32 ctx)
{
	for (size_t i = 0; i < found->nr_contexts; i++)
		if (found->contexts[i].ctx == ctx)
			return true;
	return false;
}

/* Removes those of contexts that are gone, whose numbers are not used again. */
static void read_failures(struct collect *collect, const struct listing *found,
			  struct metrics *metrics)
{
	int map = bpf_map__fd(collect->bpf->maps.failures);
	struct exporter_key key, next;
	void *last = NULL;

	metrics->failed = tool_memory(calloc(EXPORTER_MAX_FAILURES,
					     sizeof(*metrics->failed)));
	while (metrics->nr_failed < EXPORTER_MAX_FAILURES &&
	       !bpf_map_get_next_key(map, last, &next)) {
		struct failed *failed = &metrics->failed[metrics->nr_failed];

		if (last && !exists(found, key.ctx))
			bpf_map_delete_elem(map, &key);
		key = next;
		last = &key;
		failed->key = key;
		if (is_shown(metrics, key.ctx) &&
		    !bpf_map_lookup_elem(map, &key, &failed->count))
			metrics->nr_failed++;
	}
	if (last && !exists(found, key.ctx))
		bpf_map_delete_elem(map, &key);
}

static void read_policies(struct collect *collect, struct metrics *metrics)
{
	int map = bpf_map__fd(collect->bpf->maps.policies);
	char *last = NULL;

	metrics->refused = tool_memory(calloc(EXPORTER_MAX_POLICIES,
					      sizeof(*metrics->refused)));
	while (metrics->nr_refused < EXPORTER_MAX_POLICIES) {
		struct refused *of = &metrics->refused[metrics->nr_refused];

		if (bpf_map_get_next_key(map, last, of->policy) ||
		    bpf_map_lookup_elem(map, of->policy, &of->count))
			break;
		last = of->policy;
		metrics->nr_refused++;
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

char *collect_metrics(void *data, size_t *size, bool old)
{
	struct collect *collect = data;
	const struct listing *found = list_read(collect->list);
	struct metrics metrics = {};
	char *text = NULL;
	FILE *out;

	if (!found || !read_counts(collect, &metrics.counts))
		return NULL;
	read_contexts(collect, found, &metrics);
	read_devices(collect, found, &metrics);
	read_failures(collect, found, &metrics);
	read_policies(collect, &metrics);
	limits_read(&metrics.limits);
	if (collect->dma)
		dma_count_read(collect->dma);
	metrics.dma = collect->dma;
	metrics.table_pages = vmstat_iommu_pages();
	metrics.lost_events =
		collect->bpf->bss->lost + tool_misses(collect->bpf->obj);
	metrics.lost_entries = found->lost;
	out = tool_memory(open_memstream(&text, size));
	openmetrics_set_old(old);
	metrics_print(out, &metrics);
	fclose(out);
	free(metrics.contexts);
	free(metrics.devices);
	free(metrics.failed);
	free(metrics.refused);
	limits_free(&metrics.limits);
	return tool_memory(text);
}
