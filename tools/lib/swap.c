// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>
#include "swap.h"

bool swap_begin(struct swap *swap, const struct bpf_map *outer,
		const struct bpf_map *first)
{
	swap->outer = bpf_map__fd(outer);
	/* The skeleton owns the original descriptor. */
	swap->current = fcntl(bpf_map__fd(first), F_DUPFD_CLOEXEC, 0);
	return swap->current >= 0;
}

/* Creates an empty map with the properties of @fd. */
static int create_like(int fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int btf = -1, map;

	if (bpf_map_get_info_by_fd(fd, &info, &size))
		return -1;
	opts.map_flags = info.map_flags;
	/* Linux 6.1 takes no map without types in place of one with types. */
	if (info.btf_id)
		btf = bpf_btf_get_fd_by_id(info.btf_id);
	if (btf >= 0) {
		opts.btf_fd = btf;
		opts.btf_key_type_id = info.btf_key_type_id;
		opts.btf_value_type_id = info.btf_value_type_id;
	}
	map = bpf_map_create(info.type, NULL, info.key_size, info.value_size,
			     info.max_entries, &opts);
	if (btf >= 0)
		close(btf);
	return map;
}

int swap_next(struct swap *swap)
{
	int next = create_like(swap->current), last = swap->current;
	__u32 first = 0;

	if (next < 0)
		return -1;
	/* The kernel waits until no program uses the old map. */
	if (bpf_map_update_elem(swap->outer, &first, &next, BPF_ANY)) {
		close(next);
		return -1;
	}
	swap->current = next;
	return last;
}

void swap_end(struct swap *swap)
{
	close(swap->current);
}
