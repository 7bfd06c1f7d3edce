// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists the containers of VFIO type1, with their mappings and devices: finds
 * open files of /dev/vfio/vfio in the tables of all processes, and reads the
 * structures of drivers/vfio behind them, as far as this kernel has them.
 */
#include <linux/bpf.h>
#include <bpf/bpf_tracing.h>
#include "iommufd_type1.h"
#include "near.h"
#include "open_files.h"
#include "page_table.h"
#include "walk.h"

char LICENSE[] SEC("license") = "GPL";

/* The device number of /dev/vfio/vfio, as the kernel stores it. */
const volatile __u32 device_number;

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct vfio_iommu_driver_ops {
	char *name;
};

struct vfio_iommu_driver {
	struct vfio_iommu_driver_ops *ops;
};

struct vfio_container {
	struct list_head group_list;
	struct vfio_iommu_driver *iommu_driver;
	void *iommu_data;
};

struct vfio_group {
	struct iommu_group *iommu_group;
	struct list_head device_list;
	struct list_head container_next;
};

struct vfio_device {
	struct device *dev;
	struct list_head group_next;
};

struct vfio_iommu {
	struct list_head domain_list;
	struct rb_root dma_list;
	unsigned int dma_avail;
};

struct vfio_domain {
	void *domain;
	struct list_head next;
};

struct vfio_dma {
	struct rb_node node;
	__u64 iova;
	unsigned long vaddr;
	__u64 size;
	int prot;
	__u64 locked_vm;
};

#pragma clang attribute pop

#define HAS(type, member) bpf_core_field_exists(struct type, member)

#define HAS_CONTAINERS                      \
	(HAS(vfio_container, group_list) && \
	 HAS(vfio_container, iommu_driver) && HAS(vfio_container, iommu_data))
#define HAS_MAPPED                                           \
	(HAS(vfio_iommu, dma_list) && HAS(vfio_dma, node) && \
	 HAS(vfio_dma, iova) && HAS(vfio_dma, size))
#define HAS_PINS (HAS_MAPPED && HAS(vfio_dma, locked_vm))
#define HAS_ROOM (HAS(vfio_iommu, dma_avail))
#define HAS_TABLE_PAGES                                              \
	(HAS(vfio_iommu, domain_list) && HAS(vfio_domain, domain) && \
	 HAS(vfio_domain, next))
#define HAS_DEVICES                                                      \
	(HAS(vfio_group, iommu_group) && HAS(vfio_group, device_list) && \
	 HAS(vfio_group, container_next) && HAS(vfio_device, dev) &&     \
	 HAS(vfio_device, group_next))

/* See iommufd_upstream.bpf.c. */
static struct list_ctx found __used;
static struct list_object entry __used;
static struct walk_tree mappings __used;
static struct walk_list groups __used;
static struct walk_list devices __used;
static struct walk_list domains __used;
static __u64 next_iova __used;
static bool is_torn __used;
static __u32 last_id __used;
static __u32 group_id __used;

/* IOMMU_READ and IOMMU_WRITE are 1 and 2, as in enum list_area_flag. */
static void note_near(struct vfio_dma *dma, __u64 iova, __u64 size)
{
	struct list_area *to = near_area(iova, size);

	if (!to)
		return;
	to->iova = iova;
	to->length = size;
	to->addr = LIST_UNKNOWN;
	to->source = LIST_AREA_VA;
	to->flags = LIST_NOT_KNOWN;
	if (HAS(vfio_dma, vaddr))
		to->addr = BPF_CORE_READ(dma, vaddr);
	if (HAS(vfio_dma, prot))
		to->flags = BPF_CORE_READ(dma, prot) &
			    (LIST_AREA_READ | LIST_AREA_WRITE);
}

static long each_mapping(__u64 step, void *data)
{
	struct rb_node *rb = walk_tree_step(&mappings);
	struct vfio_dma *dma;
	__u64 iova, size;

	if (mappings.state == WALK_DONE)
		return 1;
	if (!rb)
		return 0;
	dma = (void *)rb - bpf_core_field_offset(struct vfio_dma, node);
	iova = BPF_CORE_READ(dma, iova);
	size = BPF_CORE_READ(dma, size);
	/* A mapping has no size before its first pages are mapped. */
	if (iova < next_iova || iova + size < iova) {
		is_torn = true;
		return 1;
	}
	next_iova = iova + size;
	entry.areas++;
	entry.mapped += size;
	if (HAS_PINS)
		entry.pinned += BPF_CORE_READ(dma, locked_vm);
	note_near(dma, iova, size);
	return 0;
}

static void read_mappings(struct vfio_iommu *iommu)
{
	begin_object(&entry, found.ctx, TYPE1_MAPPINGS, LIST_TYPE_IOAS);
	if (HAS_ROOM)
		entry.room = BPF_CORE_READ(iommu, dma_avail);
	if (HAS_MAPPED) {
		mappings.node = BPF_CORE_READ(iommu, dma_list.rb_node);
		mappings.state = WALK_DOWN;
		next_iova = 0;
		is_torn = false;
		near_begin(found.ctx, TYPE1_MAPPINGS);
		bpf_loop(WALK_STEPS, each_mapping, NULL, 0);
		if (is_torn || mappings.state != WALK_DONE)
			torn++;
		else if (wants_near)
			send(&near, sizeof(near));
	} else {
		entry.areas = LIST_UNKNOWN;
		entry.mapped = LIST_UNKNOWN;
	}
	if (!HAS_PINS)
		entry.pinned = LIST_UNKNOWN;
	found.pinned = entry.pinned;
}

static long each_domain(__u64 step, void *data)
{
	struct list_head *link = walk_list_step(&domains);
	struct vfio_domain *domain;
	__u64 pages;

	if (!link)
		return 1;
	domain = (void *)link - bpf_core_field_offset(struct vfio_domain, next);
	pages = count_tables(BPF_CORE_READ(domain, domain));
	if (pages == LIST_UNKNOWN) {
		entry.table_pages = LIST_UNKNOWN;
		return 1;
	}
	entry.table_pages += pages;
	return 0;
}

/* Devices behind IOMMUs that differ have page tables of their own. */
static void read_tables(struct vfio_iommu *iommu)
{
	if (!HAS_TABLE_PAGES)
		return;
	entry.table_pages = 0;
	walk_list_begin(&domains,
			(void *)iommu + bpf_core_field_offset(struct vfio_iommu,
							      domain_list));
	bpf_loop(WALK_LIST_STEPS, each_domain, NULL, 0);
}

static long each_device(__u64 step, void *data)
{
	struct list_head *link = walk_list_step(&devices);
	struct vfio_device *device;

	if (!link)
		return 1;
	device = (void *)link -
		 bpf_core_field_offset(struct vfio_device, group_next);
	begin_object(&entry, found.ctx, ++last_id, LIST_TYPE_DEVICE);
	entry.group = group_id;
	read_name(entry.name, BPF_CORE_READ(device, dev));
	send(&entry, sizeof(entry));
	return 0;
}

static long each_group(__u64 step, void *data)
{
	struct list_head *link = walk_list_step(&groups);
	struct vfio_group *group;

	if (!link)
		return 1;
	group = (void *)link -
		bpf_core_field_offset(struct vfio_group, container_next);
	group_id = BPF_CORE_READ(group, iommu_group, id);
	walk_list_begin(&devices,
			(void *)group + bpf_core_field_offset(struct vfio_group,
							      device_list));
	bpf_loop(WALK_LIST_STEPS, each_device, NULL, 0);
	return 0;
}

static void read_devices(struct vfio_container *container)
{
	last_id = TYPE1_MAPPINGS;
	walk_list_begin(&groups,
			(void *)container +
				bpf_core_field_offset(struct vfio_container,
						      group_list));
	bpf_loop(WALK_LIST_STEPS, each_group, NULL, 0);
}

/* Other drivers of containers keep other data. */
static bool is_type1(struct vfio_container *container)
{
	static const char expected[] = "vfio-iommu-type1";
	char name[sizeof(expected)] = {};
	int i;

	if (!BPF_CORE_READ(container, iommu_driver))
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name),
				  BPF_CORE_READ(container, iommu_driver, ops,
						name));
	for (i = 0; i < (int)sizeof(name); i++)
		if (name[i] != expected[i])
			return false;
	return true;
}

static void note_missing(void)
{
#define NOTE(fact) (missing |= (HAS_##fact) ? 0 : 1ULL << TYPE1_##fact)
	NOTE(CONTAINERS);
	NOTE(MAPPED);
	NOTE(PINS);
	NOTE(ROOM);
	NOTE(TABLE_PAGES);
	NOTE(DEVICES);
#undef NOTE
}

SEC("iter/task_file")
int list_type1(struct bpf_iter__task_file *it)
{
	struct task_struct *task = it->task;
	struct vfio_container *container;
	struct file *file = it->file;

	if (!task || !file || !is_device(file, device_number))
		return 0;
	note_missing();
	container = BPF_CORE_READ(file, private_data);
	if (!HAS_CONTAINERS || !container || !is_type1(container))
		return 0;
	found.ctx = number_of(container);
	if (!found.ctx)
		return 0;
	read_owner(&found, task, file);
	/* Type1 always charges the process. */
	found.accounting = LIST_ACCOUNT_MM;
	read_mappings(BPF_CORE_READ(container, iommu_data));
	read_tables(BPF_CORE_READ(container, iommu_data));
	send(&found, sizeof(found));
	send(&entry, sizeof(entry));
	if (HAS_DEVICES)
		read_devices(container);
	/* Something to read, so that each read() returns after one context. */
	bpf_seq_write(it->meta->seq, &found.ctx, sizeof(found.ctx));
	return 0;
}
