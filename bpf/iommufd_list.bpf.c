// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists all contexts and their objects once, in a ring buffer. A tool that
 * starts late uses the list before or after it starts to listen to events: both
 * have numbers that tell which events the list already includes.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_iter.h"
#include "iommufd_list.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} list SEC(".maps");

/* Entries that did not fit. */
__u64 lost;

static void list_objects(__u32 ctx)
{
	struct iommufd_object_info *object;
	struct list_object entry = { .kind = LIST_OBJECT };
	struct bpf_iter_iommufd_object it;

	bpf_iter_iommufd_object_new(&it, ctx);
	while ((object = bpf_iter_iommufd_object_next(&it))) {
		entry.ctx = object->ctx;
		entry.id = object->id;
		entry.type = object->type;
		entry.users = object->users;
		entry.parent = object->parent;
		entry.flags = object->flags;
		entry.seq = object->seq;
		entry.mapped = object->mapped;
		entry.areas = object->areas;
		entry.pinned = object->pinned;
		entry.maps = object->maps;
		entry.unmaps = object->unmaps;
		entry.invalidations = object->invalidations;
		entry.faults = object->faults;
		if (bpf_ringbuf_output(&list, &entry, sizeof(entry), 0))
			lost++;
	}
	bpf_iter_iommufd_object_destroy(&it);
}

SEC("syscall")
int list_all(void *unused)
{
	struct iommufd_ctx_info *ctx;
	struct list_ctx entry = { .kind = LIST_CTX };
	struct bpf_iter_iommufd_ctx it;

	bpf_iter_iommufd_ctx_new(&it);
	while ((ctx = bpf_iter_iommufd_ctx_next(&it))) {
		entry.ctx = ctx->ctx;
		entry.tgid = ctx->tgid;
		entry.uid = ctx->uid;
		entry.accounting = ctx->accounting;
		entry.pinned = ctx->pinned;
		bpf_probe_read_kernel(entry.comm, sizeof(entry.comm),
				      ctx->comm);
		if (bpf_ringbuf_output(&list, &entry, sizeof(entry), 0))
			lost++;
		list_objects(entry.ctx);
	}
	bpf_iter_iommufd_ctx_destroy(&it);
	return 0;
}
