// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/types.h>
#include <unistd.h>
#include "list_iter.h"

bool list_iter_open(struct list_iter *iter, const struct bpf_program *program,
		    const struct bpf_map *records, ring_buffer_sample_fn take,
		    void *data)
{
	iter->ring = ring_buffer__new(bpf_map__fd(records), take, data, NULL);
	if (iter->ring)
		iter->link = bpf_program__attach_iter(program, NULL);
	return iter->link;
}

/* Reads one context after the other, so that each fits the ring buffer. */
int list_iter_run(struct list_iter *iter)
{
	int fd = bpf_iter_create(bpf_link__fd(iter->link)), err;
	__u32 ctx;
	ssize_t got;

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, &ctx, sizeof(ctx));
		err = got < 0 && errno != EINTR && errno != EAGAIN ? -errno : 0;
		if (!err)
			err = ring_buffer__consume(iter->ring);
	} while (err >= 0 && got);
	close(fd);
	return err < 0 ? err : 0;
}

void list_iter_close(struct list_iter *iter)
{
	bpf_link__destroy(iter->link);
	ring_buffer__free(iter->ring);
}
