// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists all contexts and their objects once, in a ring buffer. A tool that
 * starts late uses the list before or after it starts to listen to events: both
 * have numbers that tell which events the list already includes.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_iter.h"
#include "iommufd_list.h"
#include "page_table.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} list SEC(".maps");

/* Entries that did not fit. */
__u64 lost;

/* An older iommufd does not list this. */
static void set_device(struct list_object *entry,
		       struct iommufd_object_info *object)
{
	bool known = object->type == LIST_TYPE_DEVICE &&
		     bpf_core_field_exists(object->name);

	entry->hwpt = LIST_NOT_KNOWN;
	entry->group = LIST_NOT_KNOWN;
	entry->name[0] = '\0';
	if (!known)
		return;
	entry->hwpt = object->hwpt;
	entry->group = object->group;
	bpf_probe_read_kernel_str(entry->name, sizeof(entry->name),
				  object->name);
}

static __u64 table_pages(struct iommufd_object_info *object)
{
	if (object->type != LIST_TYPE_HWPT_PAGING ||
	    !bpf_core_field_exists(object->domain))
		return LIST_UNKNOWN;
	return count_tables(object->domain);
}

static void list_objects(__u32 ctx)
{
	struct iommufd_object_info *object;
	struct list_object entry = {
		.kind = LIST_OBJECT,
		.room = LIST_UNKNOWN,
	};
	struct bpf_iter_iommufd_object it;

	if (bpf_iter_iommufd_object_new(&it, ctx))
		lost++;
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
		entry.table_pages = table_pages(object);
		set_device(&entry, object);
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

/* Too large for the stack, with the iterators. Not in .bss, which tests read. */
static struct list_near near SEC(".data.near") __attribute__((used));

static void copy_area(struct list_area *to,
		      const struct iommufd_area_info *area)
{
	to->iova = area->iova;
	to->length = area->length;
	to->addr = area->addr;
	to->source = area->source;
	to->flags = area->flags;
}

/* At most three steps: the iterator begins at the address, or below it. */
static void list_areas_near(__u32 ctx, __u32 ioas, __u64 iova)
{
	struct bpf_iter_iommufd_area it;
	struct iommufd_area_info *area;

	__builtin_memset(&near, 0, sizeof(near));
	near.kind = LIST_NEAR;
	near.ctx = ctx;
	near.ioas = ioas;
	bpf_iter_iommufd_area_new(&it, ctx, ioas, iova);
	while ((area = bpf_iter_iommufd_area_next(&it))) {
		if (area->iova > iova) {
			copy_area(&near.above, area);
			break;
		}
		if (iova - area->iova < area->length)
			copy_area(&near.at, area);
		else
			copy_area(&near.below, area);
	}
	bpf_iter_iommufd_area_destroy(&it);
	if (bpf_ringbuf_output(&list, &near, sizeof(near), 0))
		lost++;
}

static void list_ctx_near(__u32 ctx, __u64 iova)
{
	struct iommufd_object_info *object;
	struct bpf_iter_iommufd_object it;

	bpf_iter_iommufd_object_new(&it, ctx);
	while ((object = bpf_iter_iommufd_object_next(&it)))
		if (object->type == LIST_TYPE_IOAS)
			list_areas_near(ctx, object->id, iova);
	bpf_iter_iommufd_object_destroy(&it);
}

/* Lists the mappings of every IOAS at and next to an address. */
SEC("syscall")
int list_near(struct list_near_args *args)
{
	struct bpf_iter_iommufd_ctx it;
	struct iommufd_ctx_info *ctx;
	__u64 iova = args->iova;

	if (!bpf_ksym_exists(bpf_iter_iommufd_area_new))
		return LIST_NO_AREAS;
	bpf_iter_iommufd_ctx_new(&it);
	while ((ctx = bpf_iter_iommufd_ctx_next(&it)))
		list_ctx_near(ctx->ctx, iova);
	bpf_iter_iommufd_ctx_destroy(&it);
	return 0;
}
