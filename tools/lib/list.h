/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lists all contexts and objects, whichever source has them. */
#ifndef __LIB_LIST_H
#define __LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include "../../bpf/iommufd_list.h"
#include "source.h"

struct list;

/* Adds to a sum, which is unknown if any part is. */
static inline void list_add(__u64 *sum, __u64 number)
{
	if (*sum != LIST_UNKNOWN)
		*sum = number == LIST_UNKNOWN ? number : *sum + number;
}

/**
 * struct listing - a list of contexts and objects
 * @contexts: sorted by number
 * @objects: sorted by context, then by id
 * @lost: entries since the start that did not fit, or that changed while they
 *	were read
 * @near: with @wants_near, the mappings at and next to the address @iova, of
 *	each IOAS whose mappings are known, in no order
 * @wants_tables: count the tables of page tables
 */
struct listing {
	size_t nr_contexts;
	struct list_ctx *contexts;
	size_t nr_objects;
	struct list_object *objects;
	__u64 lost;
	bool wants_near;
	__u64 iova;
	size_t nr_near;
	struct list_near *near;
	bool wants_tables;
};

/* Returns NULL after reporting an error. */
struct list *list_open(enum source_kind kind);
void list_close(struct list *list);

/*
 * From the next reading on, count the pages of each page table, which takes time
 * for each of them. Without this call their number is unknown; so it is if the
 * IOMMU is not Intel's or AMD's, and without CONFIG_KALLSYMS_ALL.
 */
void list_count_tables(struct list *list);

/*
 * The current contexts and objects, valid until the next call. Returns NULL
 * after reporting an error.
 */
const struct listing *list_read(struct list *list);

/* The same, with the mappings at and next to an address. */
const struct listing *list_read_near(struct list *list, __u64 iova);

/* The object with this id, or NULL; the listing is sorted. */
struct list_object *listing_find(const struct listing *listing, __u32 ctx,
				 __u32 id);
struct list_ctx *listing_find_ctx(const struct listing *listing, __u32 ctx);

/*
 * A fact that the structures of this kernel don't have, so that its numbers are
 * unknown: @n counts from 0; NULL after the last one. For use after the first
 * list_read().
 */
const char *list_missing(const struct list *list, size_t n);

#endif
