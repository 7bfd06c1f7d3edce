// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "iommufd_list.skel.h"
#include "list.h"
#include "tool.h"

struct list {
	struct iommufd_list *bpf;
	struct ring_buffer *ring;
	struct listing found;
};

/* Adds an element to an array whose size doubles at powers of 2. */
static void *grow(void *array, size_t nr, size_t size)
{
	return nr & (nr - 1) ?
		       array :
		       tool_memory(reallocarray(array, nr ? 2 * nr : 1, size));
}

static int take(void *data, void *record, size_t size)
{
	struct listing *found = data;

	(void)size;
	if (*(__u32 *)record == LIST_CTX) {
		found->contexts = grow(found->contexts, found->nr_contexts,
				       sizeof(*found->contexts));
		found->contexts[found->nr_contexts++] =
			*(struct list_ctx *)record;
	} else {
		found->objects = grow(found->objects, found->nr_objects,
				      sizeof(*found->objects));
		found->objects[found->nr_objects++] =
			*(struct list_object *)record;
	}
	return 0;
}

struct list *list_open(void)
{
	struct list *list = tool_memory(calloc(1, sizeof(*list)));

	list->bpf = iommufd_list__open_and_load();
	if (list->bpf)
		list->ring = ring_buffer__new(bpf_map__fd(list->bpf->maps.list),
					      take, &list->found, NULL);
	if (list->ring)
		return list;
	tool_refused(errno);
	list_close(list);
	return NULL;
}

void list_close(struct list *list)
{
	if (!list)
		return;
	ring_buffer__free(list->ring);
	iommufd_list__destroy(list->bpf);
	free(list->found.contexts);
	free(list->found.objects);
	free(list);
}

const struct listing *list_read(struct list *list)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct listing *found = &list->found;
	int err;

	found->nr_contexts = 0;
	found->nr_objects = 0;
	err = bpf_prog_test_run_opts(bpf_program__fd(list->bpf->progs.list_all),
				     &opts);
	if (!err)
		err = ring_buffer__consume(list->ring);
	if (err < 0) {
		err_say("can't list contexts and objects: %s", strerror(-err));
		return NULL;
	}
	found->lost = list->bpf->bss->lost;
	return found;
}
