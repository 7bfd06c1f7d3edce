// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lists contexts and objects of the kernel tree's own iommufd. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "../../bpf/iommufd_upstream.h"
#include "iommufd_upstream.skel.h"
#include "list_iter.h"
#include "list_source.h"
#include "tool.h"

/* The facts in words, with the members that each of them needs. */
static const char *const facts[UPSTREAM_FACTS] = {
	[UPSTREAM_CONTEXTS] = "contexts (iommufd_ctx.file)",
	[UPSTREAM_OBJECTS] =
		"objects (iommufd_ctx.objects, iommufd_object.type, .id)",
	[UPSTREAM_MODE] =
		"what pinned pages are charged to (iommufd_ctx.account_mode)",
	[UPSTREAM_AREAS] =
		"mapped memory (iommufd_ioas.iopt, io_pagetable.area_itree, iopt_area.node, .pages)",
	[UPSTREAM_PINS] = "pinned pages (iopt_pages.npinned)",
	[UPSTREAM_SHARES] =
		"pages that IOAS share, which count several times (iopt_pages.kref)",
	[UPSTREAM_TABLES] =
		"the IOAS of page tables (iommufd_hwpt_paging.ioas, iommufd_hwpt_nested.parent)",
	[UPSTREAM_TABLE_FLAGS] =
		"flags of page tables (iommufd_hwpt_paging.auto_domain, .nest_parent, "
		".enforce_cache_coherency, iommufd_hw_pagetable.fault)",
	[UPSTREAM_TABLE_PAGES] =
		"memory of page tables (iommufd_hw_pagetable.domain)",
	[UPSTREAM_DEVICES] = "names of devices (iommufd_device.dev)",
	[UPSTREAM_GROUPS] =
		"groups of devices (iommufd_device.igroup, iommufd_group.group)",
	[UPSTREAM_ATTACHED] =
		"page tables of devices (iommufd_group.pasid_attach, iommufd_attach.hwpt, .device_array; "
		"or iommufd_group.hwpt, iommufd_device.group_item)",
};

/* Shared pages in one IOAS; see struct upstream_share. */
struct share {
	__u32 ctx;
	__u32 ioas;
	__u64 pages;
	__u64 pinned;
	__u64 here;
};

/**
 * struct upstream - the programs
 * @to: where entries of the ring buffer go
 * @shares: pages that several areas have, @nr_shares of them
 */
struct upstream {
	struct iommufd_upstream *bpf;
	struct list_iter iter;
	struct listing *to;
	size_t nr_shares, room;
	struct share *shares;
};

static void add_share(struct upstream *up, const struct upstream_share *share)
{
	if (up->nr_shares == up->room) {
		up->room = up->room ? 2 * up->room : 64;
		up->shares = tool_memory(reallocarray(up->shares, up->room,
						      sizeof(*up->shares)));
	}
	up->shares[up->nr_shares++] = (struct share){
		.ctx = share->ctx,
		.ioas = share->ioas,
		.pages = share->pages,
		.pinned = share->pinned,
		.here = share->here,
	};
}

static int take(void *data, void *record, size_t size)
{
	struct upstream *up = data;

	(void)size;
	switch (*(__u32 *)record) {
	case LIST_CTX:
		*listing_add_ctx(up->to) = *(struct list_ctx *)record;
		break;
	case LIST_OBJECT:
		*listing_add_object(up->to) = *(struct list_object *)record;
		break;
	case LIST_NEAR:
		*listing_add_near(up->to) = *(struct list_near *)record;
		break;
	case UPSTREAM_SHARE:
		add_share(up, record);
		break;
	}
	return 0;
}

static void upstream_close(void *state)
{
	struct upstream *up = state;

	list_iter_close(&up->iter);
	iommufd_upstream__destroy(up->bpf);
	free(up->shares);
	free(up);
}

static void *upstream_open(void)
{
	struct upstream *up = tool_memory(calloc(1, sizeof(*up)));

	up->bpf = iommufd_upstream__open();
	if (up->bpf) {
		up->bpf->rodata->device_number = source_device("iommu");
		up->bpf->rodata->compat_number = source_device("vfio");
		up->bpf->rodata->page_size = getpagesize();
		/* VFIO type1 has the even ones. */
		up->bpf->rodata->number_step = 2;
	}
	if (up->bpf && !iommufd_upstream__load(up->bpf) &&
	    list_iter_open(&up->iter, up->bpf->progs.list_upstream,
			   up->bpf->maps.list, take, up))
		return up;
	tool_refused(errno);
	upstream_close(up);
	return NULL;
}

static int compare_shares(const void *a, const void *b)
{
	const struct share *left = a, *right = b;

	if (left->ctx != right->ctx)
		return left->ctx < right->ctx ? -1 : 1;
	if (left->pages != right->pages)
		return left->pages < right->pages ? -1 : 1;
	return (left->ioas > right->ioas) - (left->ioas < right->ioas);
}

/* Adds up the areas of an IOAS that have the same pages. */
static void merge_shares(struct upstream *up)
{
	size_t nr = 0;

	if (!up->nr_shares)
		return;
	qsort(up->shares, up->nr_shares, sizeof(*up->shares), compare_shares);
	for (size_t i = 0; i < up->nr_shares; i++) {
		struct share *last = nr ? &up->shares[nr - 1] : NULL;
		const struct share *share = &up->shares[i];

		if (last && !compare_shares(last, share))
			last->here += share->here;
		else
			up->shares[nr++] = *share;
	}
	up->nr_shares = nr;
}

/*
 * Adds shared pages to each IOAS that has them, and once to their context, in
 * which they are pinned once.
 */
static void add_pinned(struct upstream *up)
{
	const struct share *last = NULL;
	struct listing *to = up->to;

	for (size_t i = 0; i < to->nr_objects; i++) {
		struct list_object *object = &to->objects[i];
		struct list_ctx *ctx = listing_find_ctx(to, object->ctx);

		if (ctx && object->type == LIST_TYPE_IOAS)
			list_add(&ctx->pinned, object->pinned);
	}
	merge_shares(up);
	for (size_t i = 0; i < up->nr_shares; i++) {
		const struct share *share = &up->shares[i];
		struct list_ctx *ctx = listing_find_ctx(to, share->ctx);
		struct list_object *ioas =
			listing_find(to, share->ctx, share->ioas);

		if (ctx && !(last && last->ctx == share->ctx &&
			     last->pages == share->pages))
			ctx->pinned += share->pinned;
		if (ioas)
			ioas->pinned += share->here < share->pinned ?
						share->here :
						share->pinned;
		last = share;
	}
}

static int upstream_read(void *state, struct listing *to)
{
	struct upstream *up = state;
	int err;

	up->to = to;
	up->nr_shares = 0;
	up->bpf->bss->epoch++;
	up->bpf->bss->wants_near = to->wants_near;
	up->bpf->bss->near_iova = to->iova;
	up->bpf->data_tables->wants_tables = to->wants_tables;
	err = list_iter_run(&up->iter);
	if (err)
		return err;
	for (size_t i = 0; i < to->nr_contexts; i++)
		to->contexts[i].source = SOURCE_UPSTREAM;
	listing_sort(to);
	add_pinned(up);
	to->lost += up->bpf->bss->lost + up->bpf->bss->torn;
	return 0;
}

static const char *upstream_missing(const void *state, size_t n)
{
	const struct upstream *up = state;

	for (int fact = 0; fact < UPSTREAM_FACTS; fact++)
		if (up->bpf->bss->missing >> fact & 1 && !n--)
			return facts[fact];
	return NULL;
}

const struct list_source upstream_list_source = {
	.open = upstream_open,
	.read = upstream_read,
	.missing = upstream_missing,
	.close = upstream_close,
};
