/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Runs the BPF iterators of bpf/open_files.h. */
#ifndef __LIB_LIST_ITER_H
#define __LIB_LIST_ITER_H

#include <bpf/libbpf.h>
#include <stdbool.h>

/**
 * struct list_iter - an attached iterator
 * @ring: its records
 */
struct list_iter {
	struct ring_buffer *ring;
	struct bpf_link *link;
};

/* @take gets each record. Returns false with errno set on errors. */
bool list_iter_open(struct list_iter *iter, const struct bpf_program *program,
		    const struct bpf_map *records, ring_buffer_sample_fn take,
		    void *data);

/* Passes all records of a run. Returns 0 or a negative errno. */
int list_iter_run(struct list_iter *iter);

void list_iter_close(struct list_iter *iter);

#endif
