// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include "../lib/fmt.h"
#include "../lib/tool.h"
#include "table.h"

void table_init(struct table *table)
{
	hash_init(&table->groups, sizeof(struct group_key),
		  sizeof(struct group));
	hash_init(&table->devices, sizeof(struct device_key),
		  sizeof(struct device));
}

const struct ctx *table_ctx(const struct table *table, __u32 ctx)
{
	for (size_t i = 0; i < table->nr_contexts; i++)
		if (table->contexts[i].ctx == ctx)
			return &table->contexts[i];
	return NULL;
}

void table_add_ctx(struct table *table, __u32 ctx, __u32 tgid, const char *comm)
{
	struct ctx *new;

	if (table_ctx(table, ctx))
		return;
	table->contexts = tool_memory(reallocarray(table->contexts,
						   table->nr_contexts + 1,
						   sizeof(*table->contexts)));
	new = &table->contexts[table->nr_contexts++];
	*new = (struct ctx){ .ctx = ctx, .tgid = tgid };
	memcpy(new->comm, comm, sizeof(new->comm));
	new->comm[sizeof(new->comm) - 1] = '\0';
}

void table_close_ctx(struct table *table, __u32 ctx)
{
	for (size_t i = 0; i < table->nr_contexts; i++)
		if (table->contexts[i].ctx == ctx)
			table->contexts[i].closed = true;
}

void table_add_device(struct table *table, __u32 ctx, __u32 id,
		      const char name[FAULTS_NAME_LEN])
{
	struct device_key key = { ctx, id };
	struct device *device = hash_get(&table->devices, &key);

	fmt_name(device->name, sizeof(device->name), name);
}

void table_remove_device(struct table *table, __u32 ctx, __u32 id)
{
	struct device_key key = { ctx, id };
	struct device *device = hash_find(&table->devices, &key);

	if (!device)
		return;
	hash_remove(&table->devices, device);
	free(device);
}

const char *table_device(const struct table *table, __u32 ctx, __u32 id)
{
	struct device_key key = { ctx, id };
	const struct device *device = hash_find(&table->devices, &key);

	return device ? device->name : "";
}

struct queue *table_queue(struct table *table, __u32 ctx, __u32 viommu,
			  __u32 queue)
{
	struct queue *found;

	for (size_t i = 0; i < table->nr_queues; i++) {
		found = &table->queues[i];
		if (found->ctx == ctx && found->viommu == viommu &&
		    found->queue == queue)
			return found;
	}
	table->queues =
		tool_memory(reallocarray(table->queues, table->nr_queues + 1,
					 sizeof(*table->queues)));
	found = &table->queues[table->nr_queues++];
	memset(found, 0, sizeof(*found));
	found->ctx = ctx;
	found->viommu = viommu;
	found->queue = queue;
	return found;
}

void table_begin(struct table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->nr_contexts; i++)
		if (!table->contexts[i].closed)
			table->contexts[kept++] = table->contexts[i];
	table->nr_contexts = kept;
	table->nr_queues = 0;
}

struct group *table_group(struct table *table,
			  const struct faults_record *record)
{
	struct group_key key = {
		.ctx = record->ctx,
		.queue = record->queue,
		.cookie = record->cookie,
	};
	struct group *group = hash_get(&table->groups, &key);

	group->report.ctx = record->ctx;
	group->report.queue = record->queue;
	group->report.cookie = record->cookie;
	return group;
}

void table_remove_group(struct table *table, struct group *group)
{
	hash_remove(&table->groups, group);
	free(group);
}

void latency_add(struct latency *latency, __u64 ns)
{
	slots_add(&latency->slots, ns);
	latency->hist[hist_bucket(ns)]++;
}

void table_free(struct table *table)
{
	hash_clear(&table->groups);
	hash_clear(&table->devices);
	free(table->contexts);
	free(table->queues);
}
