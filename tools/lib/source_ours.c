// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lists contexts and objects with the iterators of iommufd-bpf. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include "iommufd_list.skel.h"
#include "list_source.h"
#include "tool.h"

/**
 * struct ours - the programs
 * @to: where entries of the ring buffer go
 */
struct ours {
	struct iommufd_list *bpf;
	struct ring_buffer *ring;
	struct listing *to;
};

static int take(void *data, void *record, size_t size)
{
	struct ours *ours = data;

	(void)size;
	switch (*(__u32 *)record) {
	case LIST_CTX:
		*listing_add_ctx(ours->to) = *(struct list_ctx *)record;
		break;
	case LIST_NEAR:
		*listing_add_near(ours->to) = *(struct list_near *)record;
		break;
	default:
		*listing_add_object(ours->to) = *(struct list_object *)record;
	}
	return 0;
}

static void ours_close(void *state)
{
	struct ours *ours = state;

	ring_buffer__free(ours->ring);
	iommufd_list__destroy(ours->bpf);
	free(ours);
}

static void *ours_open(void)
{
	struct ours *ours = tool_memory(calloc(1, sizeof(*ours)));

	ours->bpf = iommufd_list__open_and_load();
	if (ours->bpf)
		ours->ring = ring_buffer__new(bpf_map__fd(ours->bpf->maps.list),
					      take, ours, NULL);
	if (ours->ring)
		return ours;
	tool_refused(errno);
	ours_close(ours);
	return NULL;
}

static int run(const struct ours *ours, const struct bpf_program *program,
	       struct bpf_test_run_opts *opts)
{
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), opts);

	return err ?: ring_buffer__consume(ours->ring);
}

static int read_near(const struct ours *ours, __u64 iova)
{
	struct list_near_args args = { .iova = iova };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args,
		    .ctx_size_in = sizeof(args));

	return run(ours, ours->bpf->progs.list_near, &opts);
}

static int ours_read(void *state, struct listing *to)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct ours *ours = state;
	int err;

	ours->to = to;
	ours->bpf->data_tables->wants_tables = to->wants_tables;
	err = run(ours, ours->bpf->progs.list_all, &opts);
	if (err >= 0 && to->wants_near)
		err = read_near(ours, to->iova);
	to->lost += ours->bpf->bss->lost;
	return err < 0 ? err : 0;
}

const struct list_source ours_list_source = {
	.open = ours_open,
	.read = ours_read,
	.close = ours_close,
};
