// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "dma_explain.h"
#include "fmt.h"

#define MILLISECOND_NS 1000000ULL
#define SECOND_NS      (1000 * MILLISECOND_NS)
#define MINUTE_NS      (60 * SECOND_NS)

/* Distances from here on are rounded. */
#define EXACT_BYTES 65536

const char *dma_finding_name(enum finding finding)
{
	static const char *const names[FINDINGS] = {
		[FINDING_UNKNOWN] = "unknown",
		[FINDING_DETACHED] = "detached",
		[FINDING_GUEST] = "guest",
		[FINDING_RESERVED] = "reserved",
		[FINDING_OUTSIDE] = "outside",
		[FINDING_REVOKED] = "revoked",
		[FINDING_READ_ONLY] = "read_only",
		[FINDING_WRITE_ONLY] = "write_only",
		[FINDING_MAPPED] = "mapped",
		[FINDING_UNMAPPED] = "unmapped",
		[FINDING_ELSEWHERE] = "elsewhere",
		[FINDING_NOT_MAPPED] = "not_mapped",
	};

	return names[finding];
}

/*
 * Whether the mapping lacks a right that the access needs. An IOMMU that does
 * not report the access has at least refused one.
 */
static bool lacks(const struct list_area *area, __u32 right,
		  enum dma_fault_access access, enum dma_fault_access needs)
{
	return area->flags != LIST_NOT_KNOWN && !(area->flags & right) &&
	       (access == needs || access == DMA_FAULT_UNKNOWN);
}

static enum finding find_mapped(const struct list_area *area,
				enum dma_fault_access access)
{
	if (area->flags != LIST_NOT_KNOWN) {
		if (area->flags & LIST_AREA_REVOKED)
			return FINDING_REVOKED;
		if (area->flags & LIST_AREA_IN_UNMAP)
			return FINDING_UNMAPPED;
	}
	if (lacks(area, LIST_AREA_WRITE, access, DMA_FAULT_WRITE))
		return FINDING_READ_ONLY;
	if (lacks(area, LIST_AREA_READ, access, DMA_FAULT_READ))
		return FINDING_WRITE_ONLY;
	return FINDING_MAPPED;
}

void dma_explain(struct dma_explanation *why, const struct dma_fault *fault)
{
	if (why->is_detached || fault->cause == DMA_FAULT_BLOCKED)
		why->finding = FINDING_DETACHED;
	else if (why->is_guest && !fault->is_second)
		why->finding = FINDING_GUEST;
	else if (*why->reserved)
		why->finding = FINDING_RESERVED;
	else if (fault->cause == DMA_FAULT_RANGE)
		why->finding = FINDING_OUTSIDE;
	else if (why->has_areas && why->near.at.length)
		why->finding = find_mapped(&why->near.at, fault->access);
	else if (why->has_unmap)
		why->finding = FINDING_UNMAPPED;
	else if (!why->has_areas)
		why->finding = FINDING_UNKNOWN;
	else
		why->finding = why->other_ioas ? FINDING_ELSEWHERE :
						 FINDING_NOT_MAPPED;
}

__attribute__((format(printf, 2, 3))) static void add(char *text,
						      const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, EXPLAIN_TEXT_LEN - length, format, args);
	va_end(args);
}

static void add_range(char *text, __u64 iova, __u64 length)
{
	add(text, "0x%llx-0x%llx", iova, iova + length - 1);
}

static void add_area(char *text, const struct list_area *area)
{
	add_range(text, area->iova, area->length);
}

static void add_time(char *text, __u64 ns)
{
	if (ns < SECOND_NS)
		add(text, "%llu ms", ns / MILLISECOND_NS);
	else if (ns < MINUTE_NS)
		add(text, "%.1f s", (double)ns / SECOND_NS);
	else
		add(text, "%llu min", ns / MINUTE_NS);
}

static void add_distance(char *text, __u64 bytes)
{
	char buf[FMT_LEN];

	if (bytes < EXACT_BYTES)
		add(text, "%llu byte%s", bytes, bytes == 1 ? "" : "s");
	else
		add(text, "%s", fmt_bytes(buf, bytes));
}

/* For example: 12 ms ago by thread vcpu0 (812) */
static void add_origin(char *text, __u64 ago_ns, const char *comm, __u32 tid)
{
	char name[HISTORY_COMM_LEN];

	add_time(text, ago_ns);
	add(text, " ago by thread %s (%u)", fmt_name(name, sizeof(name), comm),
	    tid);
}

static bool is_whole(const struct history_unmap *unmap)
{
	return unmap->unmapped == unmap->length;
}

static void add_unmap(char *text, const struct dma_explanation *why)
{
	const struct history_unmap *unmap = &why->unmap;
	char buf[FMT_LEN];

	add(text, is_whole(unmap) ? "unmapped " : "perhaps unmapped ");
	add_origin(text, why->now_ns - unmap->time_ns, unmap->comm, unmap->tid);
	if (is_whole(unmap)) {
		add(text, ": ");
		add_range(text, unmap->iova, unmap->length);
	} else if (unmap->length == LIST_UNKNOWN) {
		add(text, ", with everything else in the IOAS");
	} else {
		add(text, ", with %s in ", fmt_bytes(buf, unmap->unmapped));
		add_range(text, unmap->iova, unmap->length);
	}
}

static void add_mapped(char *text, const struct dma_explanation *why,
		       const char *how)
{
	add_area(text, &why->near.at);
	add(text, " is %s", how);
}

static void add_now_mapped(char *text, const struct dma_explanation *why)
{
	add_mapped(text, why, "mapped now");
	if (!why->has_unmap)
		return;
	add(text, "; it was ");
	add_unmap(text, why);
}

static void add_other(char *text, const struct dma_explanation *why)
{
	if (!why->other_ioas)
		return;
	add(text, "; IOAS %u ", why->other_ioas);
	if (why->other_ctx != why->ctx)
		add(text, "of context %u ", why->other_ctx);
	add(text, "maps ");
	add_area(text, &why->other);
}

static void add_not_mapped(char *text, const struct dma_explanation *why)
{
	add(text, "not mapped");
	if (!why->history_ns)
		return;
	add(text, ", nor unmapped in the last ");
	add_time(text, why->history_ns);
}

static void add_detached(char *text, const struct dma_explanation *why)
{
	add(text, "the device had no page table");
	if (!why->has_detach)
		return;
	add(text, ": detached ");
	add_origin(text, why->now_ns - why->detach.time_ns, why->detach.comm,
		   why->detach.tid);
}

static void add_finding(char *text, const struct dma_explanation *why)
{
	switch (why->finding) {
	case FINDING_RESERVED:
		add(text, "0x%llx-0x%llx is reserved for the device (%s)",
		    why->reserved_first, why->reserved_last, why->reserved);
		break;
	case FINDING_OUTSIDE:
		add(text, "outside of what the page table can translate");
		break;
	case FINDING_REVOKED:
		add_mapped(text, why, "a dma-buf that its owner has revoked");
		break;
	case FINDING_READ_ONLY:
		add_mapped(text, why, "mapped read-only");
		break;
	case FINDING_WRITE_ONLY:
		add_mapped(text, why, "mapped write-only");
		break;
	case FINDING_MAPPED:
		add_now_mapped(text, why);
		break;
	case FINDING_UNMAPPED:
		if (why->has_areas && why->near.at.length)
			add_mapped(text, why, "being unmapped");
		else
			add_unmap(text, why);
		add_other(text, why);
		break;
	case FINDING_ELSEWHERE:
	case FINDING_NOT_MAPPED:
		add_not_mapped(text, why);
		add_other(text, why);
		break;
	default:
		add(text, "it is not known what is mapped");
	}
}

static void add_verdict(char *text, const struct dma_explanation *why)
{
	if (why->finding == FINDING_DETACHED) {
		add_detached(text, why);
		return;
	}
	if (why->finding == FINDING_GUEST) {
		add(text,
		    "page table %u, which the guest manages, translates it",
		    why->hwpt);
		return;
	}
	if (why->ioas)
		add(text, "IOAS %u of context %u: ", why->ioas, why->ctx);
	add_finding(text, why);
}

/* @direction: before or after. */
static void add_gap(char *text, __u64 bytes, const char *verb,
		    const char *direction)
{
	if (!bytes) {
		add(text, ", which %s right %s the address", verb, direction);
		return;
	}
	add(text, ", which %s ", verb);
	add_distance(text, bytes);
	add(text, " %s the address", direction);
}

/* The commonest fault is one right beyond a mapping. */
static void add_neighbours(char *text, const struct dma_explanation *why)
{
	const struct list_area *below = &why->near.below,
			       *above = &why->near.above;

	if (!below->length && !above->length) {
		add(text, "nothing is mapped");
		return;
	}
	add(text, "nearest: ");
	if (below->length) {
		add_area(text, below);
		add_gap(text, why->iova - below->iova - below->length, "ends",
			"before");
	}
	if (!above->length)
		return;
	if (below->length)
		add(text, "; ");
	add_area(text, above);
	add_gap(text, above->iova - why->iova, "begins", "after");
}

const char *dma_explain_text(char text[EXPLAIN_TEXT_LEN],
			     const struct dma_explanation *why,
			     unsigned int line)
{
	bool has_neighbours = why->has_areas && !why->near.at.length &&
			      (why->finding == FINDING_UNMAPPED ||
			       why->finding == FINDING_ELSEWHERE ||
			       why->finding == FINDING_NOT_MAPPED);

	*text = '\0';
	/* The tool has reported what is missing. */
	if (why->finding == FINDING_UNKNOWN && !why->ioas)
		return NULL;
	if (line == 0)
		add_verdict(text, why);
	else if (line == 1 && has_neighbours)
		add_neighbours(text, why);
	else
		return NULL;
	return text;
}

/* One line of the file: first, last, type. */
static bool is_in(struct dma_explanation *why, const char *line)
{
	unsigned long long first, last;
	char type[EXPLAIN_TYPE_LEN];

	if (sscanf(line, "%llx %llx %31s", &first, &last, type) != 3 ||
	    !strcmp(type, "direct-relaxable") || why->iova < first ||
	    why->iova > last)
		return false;
	why->reserved_first = first;
	why->reserved_last = last;
	fmt_name(why->reserved, sizeof(why->reserved), type);
	return true;
}

bool dma_explain_reserved(struct dma_explanation *why, const char *path)
{
	FILE *regions = fopen(path, "re");
	bool found = false;
	char line[128];

	while (regions && !found && fgets(line, sizeof(line), regions))
		found = is_in(why, line);
	if (regions)
		fclose(regions);
	return found;
}
