/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lists all contexts and objects, with bpf/iommufd_list.bpf.c. */
#ifndef __LIB_LIST_H
#define __LIB_LIST_H

#include <stddef.h>
#include "../../bpf/iommufd_list.h"

/* enum iommufd_object_type, see docs/tracepoints.md */
enum list_type {
	LIST_TYPE_DEVICE = 1,
	LIST_TYPE_HWPT_PAGING = 2,
	LIST_TYPE_HWPT_NESTED = 3,
	LIST_TYPE_IOAS = 4,
	LIST_TYPE_FAULT = 6,
	LIST_TYPE_VIOMMU = 7,
};

struct list;

/**
 * struct listing - a list of contexts and objects
 * @contexts: sorted by number
 * @objects: sorted by context, then by id
 * @lost: entries since the start that did not fit
 */
struct listing {
	size_t nr_contexts;
	struct list_ctx *contexts;
	size_t nr_objects;
	struct list_object *objects;
	__u64 lost;
};

/* Returns NULL after reporting an error. */
struct list *list_open(void);
void list_close(struct list *list);

/*
 * The current contexts and objects, valid until the next call. Returns NULL
 * after reporting an error.
 */
const struct listing *list_read(struct list *list);

#endif
