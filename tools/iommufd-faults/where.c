// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../lib/env.h"
#include "../lib/err.h"
#include "../lib/list.h"
#include "../lib/loop.h"
#include "../lib/tool.h"
#include "history.h"
#include "where.h"

/**
 * struct where - the sources of facts
 * @list: contexts, objects and mappings; NULL if they can't be listed
 * @history: NULL if it is not available
 * @size: unmaps to remember
 * @verbose: explain why the kernel refuses programs
 * @problem: why @list is NULL
 * @reported: @problem was reported
 * @failed: @list can't be opened, which was reported, too
 */
struct where {
	struct list *list;
	struct history *history;
	__u32 size;
	bool verbose;
	enum env_problem problem;
	bool reported;
	bool failed;
};

void where_report(struct where *where)
{
	if (where->reported || !where->problem)
		return;
	where->reported = true;
	err_say("what is mapped at the address of a fault is not shown: %s",
		env_problem_text(where->problem));
	err_advise(env_problem_advice(where->problem));
}

/* iommufd, or VFIO type1, may be loaded after the tool has started. */
static void connect(struct where *where)
{
	enum source_kind kind;

	if (where->list || where->failed)
		return;
	where->problem = tool_try_source(where->verbose, &kind);
	if (where->problem)
		return;
	where->list = list_open(kind);
	where->failed = !where->list;
	if (where->size && !where->history &&
	    (kind == SOURCE_OURS || !env_check_stock("")))
		where->history = history_open(kind, where->size);
}

struct where *where_open(bool verbose, __u32 history)
{
	struct where *where = tool_memory(calloc(1, sizeof(*where)));

	where->verbose = verbose;
	where->size = history;
	connect(where);
	return where;
}

void where_close(struct where *where)
{
	history_close(where->history);
	list_close(where->list);
	free(where);
}

static const struct list_object *find_device(const struct listing *found,
					     const char *name)
{
	for (size_t i = 0; i < found->nr_objects; i++) {
		const struct list_object *object = &found->objects[i];

		if (object->type == LIST_TYPE_DEVICE && *object->name &&
		    !strncmp(object->name, name, sizeof(object->name) - 1))
			return object;
	}
	return NULL;
}

/* The page table below @id that mirrors an IOAS. Sets the IOAS of the device. */
static void set_table(struct dma_explanation *why, const struct listing *found,
		      __u32 id)
{
	const struct list_object *object = listing_find(found, why->ctx, id);

	why->hwpt = id;
	/* A nested one is on a page table, or on a vIOMMU on one. */
	for (int level = 0; object && level < 3; level++) {
		if (object->type == LIST_TYPE_HWPT_NESTED)
			why->is_guest = true;
		if (object->type == LIST_TYPE_HWPT_PAGING)
			why->ioas = object->parent;
		if (object->type != LIST_TYPE_HWPT_NESTED &&
		    object->type != LIST_TYPE_VIOMMU)
			return;
		object = listing_find(found, why->ctx, object->parent);
	}
}

static bool has_table(const struct listing *found,
		      const struct list_object *ioas)
{
	for (size_t i = 0; i < found->nr_objects; i++) {
		const struct list_object *object = &found->objects[i];

		if (object->ctx == ioas->ctx && object->parent == ioas->id &&
		    object->type == LIST_TYPE_HWPT_PAGING)
			return true;
	}
	return false;
}

static bool is_of_process(const struct listing *found, __u32 number, __u32 pid)
{
	const struct list_ctx *ctx = listing_find_ctx(found, number);

	return ctx && pid && ctx->tgid == pid;
}

/*
 * The only IOAS of a context, or of a process if the context is not known;
 * with @used, the only one that has a page table.
 */
static void set_only_ioas(struct dma_explanation *why,
			  const struct listing *found, __u32 pid, bool used)
{
	const struct list_object *only = NULL;

	for (size_t i = 0; i < found->nr_objects; i++) {
		const struct list_object *object = &found->objects[i];

		if (object->type != LIST_TYPE_IOAS ||
		    (why->ctx ? object->ctx != why->ctx :
				!is_of_process(found, object->ctx, pid)) ||
		    (used && !has_table(found, object)))
			continue;
		if (only)
			return;
		only = object;
	}
	if (!only)
		return;
	why->ctx = only->ctx;
	why->ioas = only->id;
}

/* Takes the attachment from the history. Returns false if it has none. */
static bool set_attached(struct dma_explanation *why, const struct where *where,
			 const struct listing *found,
			 const struct dma_fault *fault)
{
	__u32 pasid = fault->pasid == DMA_FAULT_NO_PASID ? 0 : fault->pasid;
	struct history_attach attach;

	if (!where->history ||
	    !history_find_attach(where->history, fault->device, pasid,
				 &attach) ||
	    !listing_find_ctx(found, attach.ctx))
		return false;
	why->ctx = attach.ctx;
	if (attach.hwpt) {
		set_table(why, found, attach.hwpt);
		return true;
	}
	why->is_detached = true;
	why->has_detach = true;
	why->detach = attach;
	return true;
}

/*
 * The attachment of a device: as listed, else as the history of events has it.
 * Some sources don't list it: then the only IOAS it can have is the one.
 */
static void set_space(struct dma_explanation *why, const struct where *where,
		      const struct listing *found,
		      const struct dma_fault *fault, __u32 pid)
{
	const struct list_object *device = find_device(found, fault->device);
	bool is_known = set_attached(why, where, found, fault);

	if (device) {
		why->ctx = device->ctx;
		if (device->hwpt != LIST_NOT_KNOWN &&
		    fault->pasid == DMA_FAULT_NO_PASID) {
			why->is_detached = !device->hwpt;
			if (device->hwpt)
				set_table(why, found, device->hwpt);
			return;
		}
	}
	if (is_known)
		return;
	set_only_ioas(why, found, pid, true);
	if (!why->ioas)
		set_only_ioas(why, found, pid, false);
}

static void set_near(struct dma_explanation *why, const struct listing *found,
		     __u32 pid)
{
	for (size_t i = 0; i < found->nr_near; i++) {
		const struct list_near *near = &found->near[i];
		bool is_same = near->ctx == why->ctx;

		if (is_same && near->ioas == why->ioas) {
			why->near = *near;
			why->has_areas = true;
			continue;
		}
		/* Of other contexts only if none of the same has it. */
		if (!near->at.length ||
		    (!is_same && (why->other_ioas ||
				  !is_of_process(found, near->ctx, pid))))
			continue;
		why->other_ctx = near->ctx;
		why->other_ioas = near->ioas;
		why->other = near->at;
	}
}

static void set_reserved(struct dma_explanation *why,
			 const struct dma_fault *fault)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/iommu_group/reserved_regions",
		 fault->device);
	dma_explain_reserved(why, path);
}

void where_explain(struct where *where, const struct dma_fault *fault,
		   __u32 pid, struct dma_explanation *why)
{
	const struct listing *found = NULL;

	*why = (struct dma_explanation){ .iova = fault->iova };
	connect(where);
	if (where->list)
		found = list_read_near(where->list, fault->iova);
	if (found) {
		set_space(why, where, found, fault, pid);
		set_near(why, found, pid);
	}
	if (where->history) {
		why->has_unmap = history_find_unmap(where->history, why->ctx,
						    why->ioas, pid, fault->iova,
						    &why->unmap);
		why->history_ns = history_reach_ns(where->history);
	}
	set_reserved(why, fault);
	why->now_ns = loop_clock(CLOCK_MONOTONIC);
	dma_explain(why, fault);
}
