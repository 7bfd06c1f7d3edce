/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All contexts and objects there are, from bpf/iommufd_list.bpf.c. */
#ifndef __LIB_LIST_H
#define __LIB_LIST_H

#include <stddef.h>
#include "../../bpf/iommufd_list.h"

/* enum iommufd_object_type, as docs/tracepoints.md has it */
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
 * struct listing - what was found
 * @contexts: by number
 * @objects: by context, those of one by id
 * @lost: what is not in it because there was no room, since the start
 */
struct listing {
	size_t nr_contexts;
	struct list_ctx *contexts;
	size_t nr_objects;
	struct list_object *objects;
	__u64 lost;
};

/* NULL after having said why not. */
struct list *list_open(void);
void list_close(struct list *list);

/* What there is now, until the next call. NULL after having said why not. */
const struct listing *list_read(struct list *list);

#endif
