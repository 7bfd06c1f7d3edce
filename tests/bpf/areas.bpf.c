// SPDX-License-Identifier: GPL-2.0-only
/* Sends the areas of an IOAS, from an address on. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "../../bpf/iommufd_iter.h"

char LICENSE[] SEC("license") = "GPL";

/* @limit: number of areas, 0 for all. */
struct areas_args {
	__u32 ctx;
	__u32 ioas;
	__u64 iova;
	__u64 limit;
};

/* As struct iommufd_area_info, whose offsets are those of the running kernel. */
struct area_record {
	__u32 ctx;
	__u32 ioas;
	__u64 iova;
	__u64 length;
	__u32 source;
	__u32 flags;
	__u64 addr;
	__u64 pinned;
	__u64 pins;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} areas SEC(".maps");

SEC("syscall")
int list_areas(struct areas_args *args)
{
	__u64 limit = args->limit ?: ~0ULL, nr = 0, iova = args->iova;
	__u32 ctx = args->ctx, ioas = args->ioas;
	struct iommufd_area_info *area;
	struct bpf_iter_iommufd_area it;
	int lost = 0;

	bpf_iter_iommufd_area_new(&it, ctx, ioas, iova);
	while ((area = bpf_iter_iommufd_area_next(&it))) {
		struct area_record record = {
			.ctx = area->ctx,
			.ioas = area->ioas,
			.iova = area->iova,
			.length = area->length,
			.source = area->source,
			.flags = area->flags,
			.addr = area->addr,
			.pinned = area->pinned,
			.pins = area->pins,
		};

		if (bpf_ringbuf_output(&areas, &record, sizeof(record), 0))
			lost = 1;
		if (++nr >= limit)
			break;
	}
	bpf_iter_iommufd_area_destroy(&it);
	return lost;
}
