// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lists the containers of VFIO type1. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "../../bpf/iommufd_type1.h"
#include "iommufd_type1.skel.h"
#include "list_iter.h"
#include "list_source.h"
#include "tool.h"

/* The facts in words, with the members that each of them needs. */
static const char *const facts[TYPE1_FACTS] = {
	[TYPE1_CONTAINERS] =
		"containers (vfio_container.group_list, .iommu_driver, .iommu_data)",
	[TYPE1_MAPPED] =
		"mapped memory (vfio_iommu.dma_list, vfio_dma.node, .iova, .size)",
	[TYPE1_PINS] = "pinned pages (vfio_dma.locked_vm)",
	[TYPE1_ROOM] =
		"how many more mappings there may be (vfio_iommu.dma_avail)",
	[TYPE1_TABLE_PAGES] =
		"memory of page tables (vfio_iommu.domain_list, vfio_domain.domain, .next)",
	[TYPE1_DEVICES] = "devices (vfio_group.iommu_group, .device_list, "
			  ".container_next, vfio_device.dev, .group_next)",
};

/**
 * struct type1 - the programs
 * @to: where records go
 */
struct type1 {
	struct iommufd_type1 *bpf;
	struct list_iter iter;
	struct listing *to;
};

static int take(void *data, void *record, size_t size)
{
	struct type1 *type1 = data;

	(void)size;
	if (*(__u32 *)record == LIST_OBJECT) {
		*listing_add_object(type1->to) = *(struct list_object *)record;
		return 0;
	}
	if (*(__u32 *)record == LIST_NEAR) {
		*listing_add_near(type1->to) = *(struct list_near *)record;
		return 0;
	}
	*listing_add_ctx(type1->to) = *(struct list_ctx *)record;
	type1->to->contexts[type1->to->nr_contexts - 1].source = SOURCE_TYPE1;
	return 0;
}

static void type1_close(void *state)
{
	struct type1 *type1 = state;

	list_iter_close(&type1->iter);
	iommufd_type1__destroy(type1->bpf);
	free(type1);
}

static void *type1_open(void)
{
	struct type1 *type1 = tool_memory(calloc(1, sizeof(*type1)));

	type1->bpf = iommufd_type1__open();
	if (type1->bpf) {
		type1->bpf->rodata->device_number = source_device("vfio");
		/* The other source has the odd ones. */
		type1->bpf->rodata->first_number = 2;
		type1->bpf->rodata->number_step = 2;
	}
	if (type1->bpf && !iommufd_type1__load(type1->bpf) &&
	    list_iter_open(&type1->iter, type1->bpf->progs.list_type1,
			   type1->bpf->maps.list, take, type1))
		return type1;
	tool_refused(errno);
	type1_close(type1);
	return NULL;
}

static int type1_read(void *state, struct listing *to)
{
	struct type1 *type1 = state;
	int err;

	type1->to = to;
	type1->bpf->bss->epoch++;
	type1->bpf->bss->wants_near = to->wants_near;
	type1->bpf->bss->near_iova = to->iova;
	type1->bpf->data_tables->wants_tables = to->wants_tables;
	err = list_iter_run(&type1->iter);
	to->lost += type1->bpf->bss->lost + type1->bpf->bss->torn;
	return err;
}

static const char *type1_missing(const void *state, size_t n)
{
	const struct type1 *type1 = state;

	for (int fact = 0; fact < TYPE1_FACTS; fact++)
		if (type1->bpf->bss->missing >> fact & 1 && !n--)
			return facts[fact];
	return NULL;
}

const struct list_source type1_list_source = {
	.open = type1_open,
	.read = type1_read,
	.missing = type1_missing,
	.close = type1_close,
};
