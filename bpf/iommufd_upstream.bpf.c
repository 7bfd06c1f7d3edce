// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists the contexts and objects of the kernel tree's own iommufd: finds open
 * files of /dev/iommu in the tables of all processes, and reads what they have.
 *
 * That iommufd has no interface for this. The names of its structures and
 * members come from the BTF of a running kernel, and from nowhere else. They
 * can change with each version, so each fact is read only where its members
 * exist; the others are listed in @missing.
 */
#include <linux/bpf.h>
#include <bpf/bpf_tracing.h>
#include "iommufd_upstream.h"
#include "near.h"
#include "open_files.h"
#include "page_table.h"
#include "walk.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * The device numbers of /dev/iommu and /dev/vfio/vfio, as the kernel stores
 * them: iommufd can provide the latter, too.
 */
const volatile __u32 device_number;
const volatile __u32 page_size = 4096;
const volatile __u32 compat_number;

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct iommu_domain {
	void *dirty_ops;
};

struct interval_tree_node {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;
};

struct refcount_struct___upstream {
	struct {
		int counter;
	} refs;
};

struct kref___upstream {
	struct {
		struct {
			int counter;
		} refs;
	} refcount;
};

struct iommufd_ctx___upstream {
	struct file *file;
	struct xarray objects;
	__u8 account_mode;
};

enum iommufd_object_type___upstream {
	IOMMUFD_OBJ_DEVICE___upstream = 1,
	IOMMUFD_OBJ_HWPT_PAGING___upstream,
	IOMMUFD_OBJ_HWPT_NESTED___upstream,
	IOMMUFD_OBJ_IOAS___upstream,
	IOMMUFD_OBJ_FAULT___upstream = 6,
	IOMMUFD_OBJ_VIOMMU___upstream,
};

/* Of account_mode: its enumeration has no name that libbpf could look up. */
#define IOPT_PAGES_ACCOUNT_MM 2

struct iommufd_object___upstream {
	struct refcount_struct___upstream users;
	enum iommufd_object_type___upstream type;
	unsigned int id;
};

struct io_pagetable___upstream {
	struct rb_root_cached area_itree;
};

struct iommufd_ioas___upstream {
	struct iommufd_object___upstream obj;
	struct io_pagetable___upstream iopt;
};

enum iopt_address_type___upstream {
	IOPT_ADDRESS_USER___upstream,
	IOPT_ADDRESS_FILE___upstream,
	IOPT_ADDRESS_DMABUF___upstream,
};

struct iopt_pages___upstream {
	struct kref___upstream kref;
	unsigned long npinned;
	enum iopt_address_type___upstream type;
};

struct iopt_area___upstream {
	struct interval_tree_node node;
	struct iopt_pages___upstream *pages;
	struct iommu_domain *storage_domain;
	unsigned int page_offset;
	int iommu_prot;
	unsigned int num_accesses;
};

struct iommufd_fault___upstream;

struct iommufd_hw_pagetable___upstream {
	struct iommufd_object___upstream obj;
	struct iommu_domain *domain;
	struct iommufd_fault___upstream *fault;
};

struct iommufd_hwpt_paging___upstream {
	struct iommufd_hw_pagetable___upstream common;
	struct iommufd_ioas___upstream *ioas;
	bool auto_domain : 1;
	bool enforce_cache_coherency : 1;
	bool nest_parent : 1;
};

struct iommufd_viommu___upstream {
	struct iommufd_object___upstream obj;
	struct iommufd_hwpt_paging___upstream *hwpt;
};

struct iommufd_hwpt_nested___upstream {
	struct iommufd_hw_pagetable___upstream common;
	struct iommufd_hwpt_paging___upstream *parent;
	struct iommufd_viommu___upstream *viommu;
};

struct iommufd_attach___upstream {
	struct iommufd_hw_pagetable___upstream *hwpt;
	struct xarray device_array;
};

struct iommufd_group___upstream {
	struct iommu_group *group;
	struct xarray pasid_attach;
	struct iommufd_hw_pagetable___upstream *hwpt; /* without PASIDs: 6.12 */
};

struct iommufd_device___upstream {
	struct iommufd_object___upstream obj;
	struct iommufd_group___upstream *igroup;
	struct list_head group_item; /* without PASIDs, if it is attached */
	struct device *dev;
};

#pragma clang attribute pop

#define CTX    struct iommufd_ctx___upstream
#define OBJECT struct iommufd_object___upstream
#define IOAS   struct iommufd_ioas___upstream
#define AREA   struct iopt_area___upstream
#define PAGES  struct iopt_pages___upstream
#define TABLE  struct iommufd_hwpt_paging___upstream
#define NESTED struct iommufd_hwpt_nested___upstream
#define HWPT   struct iommufd_hw_pagetable___upstream
#define VIOMMU struct iommufd_viommu___upstream
#define DEVICE struct iommufd_device___upstream
#define GROUP  struct iommufd_group___upstream
#define ATTACH struct iommufd_attach___upstream

#define HAS(type, member) bpf_core_field_exists(type, member)

/* Constants of this kernel, as seen by the verifier. */
#define HAS_CONTEXTS (HAS(CTX, file))
#define HAS_OBJECTS  (HAS(CTX, objects) && HAS(OBJECT, type) && HAS(OBJECT, id))
#define HAS_MODE     (HAS(CTX, account_mode))
#define HAS_AREAS                                                              \
	(HAS(IOAS, iopt) && HAS(struct io_pagetable___upstream, area_itree) && \
	 HAS(AREA, node) && HAS(AREA, pages))
#define HAS_PINS   (HAS(PAGES, npinned))
#define HAS_SHARES (HAS(PAGES, kref))
#define HAS_TABLES (HAS(TABLE, ioas) && HAS(NESTED, parent))
#define HAS_TABLE_FLAGS                                        \
	(HAS(TABLE, auto_domain) && HAS(TABLE, nest_parent) && \
	 HAS(TABLE, enforce_cache_coherency) && HAS(HWPT, fault))
#define HAS_TABLE_PAGES (HAS(HWPT, domain))
#define HAS_DEVICES	(HAS(DEVICE, dev))
#define HAS_GROUPS	(HAS(DEVICE, igroup) && HAS(GROUP, group))
#define HAS_PASIDS                                        \
	(HAS(GROUP, pasid_attach) && HAS(ATTACH, hwpt) && \
	 HAS(ATTACH, device_array))
#define HAS_GROUP_TABLE (HAS(GROUP, hwpt) && HAS(DEVICE, group_item))
#define HAS_ATTACHED	(HAS(DEVICE, igroup) && (HAS_PASIDS || HAS_GROUP_TABLE))

/*
 * One reader at a time: what it is at, too large for the stack. Marked
 * as used, so that the compiler does not split them: the kernel would refuse it.
 */
static struct walk_table objects __used;
static struct walk_tree areas __used;
static struct walk_table attached __used;
static struct list_object entry __used;
static struct list_ctx found __used;
static __u64 next_start __used;
static bool is_torn __used;
static __u64 wanted __used;
static bool is_attached __used;

/* Pages that a mapping has pinned, if its pages are pinned at all. */
static __u64 pins_of_area(AREA *area, __u64 length)
{
	__u64 offset = 0;

	if (HAS(AREA, storage_domain) && HAS(AREA, num_accesses) &&
	    !BPF_CORE_READ(area, storage_domain) &&
	    !BPF_CORE_READ(area, num_accesses))
		return 0;
	if (HAS(AREA, page_offset))
		offset = BPF_CORE_READ(area, page_offset);
	return (offset + length + page_size - 1) / page_size;
}

static void add_pins(AREA *area, PAGES *pages, __u64 length)
{
	__u64 pinned;

	if (!HAS_PINS)
		return;
	pinned = BPF_CORE_READ(pages, npinned);
	if (HAS_SHARES &&
	    BPF_CORE_READ(pages, kref.refcount.refs.counter) > 1) {
		struct upstream_share share = {
			.kind = UPSTREAM_SHARE,
			.ctx = entry.ctx,
			.ioas = entry.id,
			.pages = (__u64)pages,
			.pinned = pinned,
			.here = pins_of_area(area, length),
		};

		send(&share, sizeof(share));
		return;
	}
	entry.pinned += pinned;
}

#define IS_SOURCE(type, name)                                             \
	(bpf_core_enum_value_exists(enum iopt_address_type___upstream,    \
				    IOPT_ADDRESS_##name##___upstream) &&  \
	 (type) == bpf_core_enum_value(enum iopt_address_type___upstream, \
				       IOPT_ADDRESS_##name##___upstream))

static __u32 source_of(PAGES *pages)
{
	__u32 type;

	if (!HAS(PAGES, type))
		return LIST_NOT_KNOWN;
	type = BPF_CORE_READ(pages, type);
	if (IS_SOURCE(type, USER))
		return LIST_AREA_VA;
	if (IS_SOURCE(type, FILE))
		return LIST_AREA_MEMFD;
	return IS_SOURCE(type, DMABUF) ? LIST_AREA_DMABUF : LIST_NOT_KNOWN;
}

/* IOMMU_READ and IOMMU_WRITE are 1 and 2, as in enum list_area_flag. */
static void note_near(AREA *area, PAGES *pages, __u64 start, __u64 length)
{
	struct list_area *to = near_area(start, length);

	if (!to)
		return;
	to->iova = start;
	to->length = length;
	to->addr = LIST_UNKNOWN;
	to->source = source_of(pages);
	to->flags = LIST_NOT_KNOWN;
	if (HAS(AREA, iommu_prot))
		to->flags = BPF_CORE_READ(area, iommu_prot) &
			    (LIST_AREA_READ | LIST_AREA_WRITE);
}

static long each_area(__u64 step, void *data)
{
	struct rb_node *rb = walk_tree_step(&areas);
	struct interval_tree_node *node;
	__u64 start, last;
	PAGES *pages;
	AREA *area;

	if (areas.state == WALK_DONE)
		return 1;
	if (!rb)
		return 0;
	node = (void *)rb -
	       bpf_core_field_offset(struct interval_tree_node, rb);
	area = (void *)node - bpf_core_field_offset(AREA, node);
	start = BPF_CORE_READ(node, start);
	last = BPF_CORE_READ(node, last);
	if (start < next_start || last < start) {
		is_torn = true;
		return 1;
	}
	next_start = last + 1;
	pages = BPF_CORE_READ(area, pages);
	/* The map request has only reserved the range so far. */
	if (!pages)
		return 0;
	entry.areas++;
	entry.mapped += last - start + 1;
	add_pins(area, pages, last - start + 1);
	note_near(area, pages, start, last - start + 1);
	return 0;
}

static void read_ioas(IOAS *ioas)
{
	if (!HAS_AREAS) {
		entry.areas = LIST_UNKNOWN;
		entry.mapped = LIST_UNKNOWN;
		entry.pinned = LIST_UNKNOWN;
		return;
	}
	areas.node = BPF_CORE_READ(ioas, iopt.area_itree.rb_root.rb_node);
	areas.state = WALK_DOWN;
	next_start = 0;
	is_torn = false;
	near_begin(entry.ctx, entry.id);
	bpf_loop(WALK_STEPS, each_area, NULL, 0);
	if (is_torn || areas.state != WALK_DONE)
		torn++;
	else if (wants_near)
		send(&near, sizeof(near));
	if (!HAS_PINS)
		entry.pinned = LIST_UNKNOWN;
}

static __u32 id_of(OBJECT *object)
{
	return object ? BPF_CORE_READ(object, id) : 0;
}

static void read_table_flags(HWPT *hwpt)
{
	if (HAS(HWPT, fault) && BPF_CORE_READ(hwpt, fault))
		entry.flags |= LIST_FLAG_FAULTS;
}

static void read_paging(TABLE *table)
{
	if (HAS_TABLES)
		entry.parent = id_of((void *)BPF_CORE_READ(table, ioas));
	if (HAS_TABLE_PAGES)
		entry.table_pages =
			count_tables(BPF_CORE_READ(table, common.domain));
	if (!HAS_TABLE_FLAGS)
		return;
	if (BPF_CORE_READ_BITFIELD_PROBED(table, auto_domain))
		entry.flags |= LIST_FLAG_AUTOMATIC;
	if (BPF_CORE_READ_BITFIELD_PROBED(table, nest_parent))
		entry.flags |= LIST_FLAG_NEST_PARENT;
	if (BPF_CORE_READ_BITFIELD_PROBED(table, enforce_cache_coherency))
		entry.flags |= LIST_FLAG_COHERENT;
	read_table_flags(&table->common);
}

static void read_nested(NESTED *table)
{
	OBJECT *viommu = NULL;

	if (!HAS_TABLES)
		return;
	if (HAS(NESTED, viommu))
		viommu = (void *)BPF_CORE_READ(table, viommu);
	entry.parent = id_of(viommu ?: (void *)BPF_CORE_READ(table, parent));
	read_table_flags(&table->common);
}

static void read_viommu(VIOMMU *viommu)
{
	if (HAS(VIOMMU, hwpt))
		entry.parent = id_of((void *)BPF_CORE_READ(viommu, hwpt));
}

static long each_attached(__u64 step, void *data)
{
	void *device = walk_table_step(&attached);

	if ((__u64)device != wanted)
		return attached.done != 0;
	is_attached = true;
	return 1;
}

/* Whether an entry is in a list, also if it was never in one. */
static bool is_listed(struct list_head *item)
{
	struct list_head *next = BPF_CORE_READ(item, next);

	return next && next != item && BPF_CORE_READ(next, prev) == item;
}

/* The page table of a device; groups attach as one, but only those that ask. */
static HWPT *hwpt_of(DEVICE *device, GROUP *group)
{
	ATTACH *attach;

	if (!HAS_PASIDS)
		return is_listed(&device->group_item) ?
			       BPF_CORE_READ(group, hwpt) :
			       NULL;
	attach = walk_table_find((void *)group +
					 bpf_core_field_offset(GROUP,
							       pasid_attach),
				 0);
	if (!attach)
		return NULL;
	attached = (struct walk_table){
		.head = BPF_CORE_READ(attach, device_array.xa_head),
	};
	is_attached = false;
	wanted = (__u64)device;
	bpf_loop(WALK_STEPS, each_attached, NULL, 0);
	return is_attached ? BPF_CORE_READ(attach, hwpt) : NULL;
}

static void read_device(DEVICE *device)
{
	GROUP *group;

	if (HAS_DEVICES)
		read_name(entry.name, BPF_CORE_READ(device, dev));
	if (!HAS(DEVICE, igroup))
		return;
	group = BPF_CORE_READ(device, igroup);
	if (HAS_GROUPS)
		entry.group = BPF_CORE_READ(group, group, id);
	if (HAS_ATTACHED)
		entry.hwpt = id_of((void *)hwpt_of(device, group));
}

/* Whether the kernel has this type, and @number is its value. */
#define IS_TYPE(number, name)                                                 \
	(bpf_core_enum_value_exists(enum iommufd_object_type___upstream,      \
				    IOMMUFD_OBJ_##name##___upstream) &&       \
	 (number) == bpf_core_enum_value(enum iommufd_object_type___upstream, \
					 IOMMUFD_OBJ_##name##___upstream))

static void read_object(OBJECT *object)
{
	__u32 type = BPF_CORE_READ(object, type);

	begin_object(&entry, found.ctx, id_of(object), type);
	entry.users = BPF_CORE_READ(object, users.refs.counter) - 1;
	if (IS_TYPE(type, IOAS)) {
		entry.type = LIST_TYPE_IOAS;
		read_ioas((void *)object);
	} else if (IS_TYPE(type, HWPT_PAGING)) {
		entry.type = LIST_TYPE_HWPT_PAGING;
		read_paging((void *)object);
	} else if (IS_TYPE(type, HWPT_NESTED)) {
		entry.type = LIST_TYPE_HWPT_NESTED;
		read_nested((void *)object);
	} else if (IS_TYPE(type, DEVICE)) {
		entry.type = LIST_TYPE_DEVICE;
		read_device((void *)object);
	} else if (IS_TYPE(type, VIOMMU)) {
		entry.type = LIST_TYPE_VIOMMU;
		read_viommu((void *)object);
	} else if (IS_TYPE(type, FAULT)) {
		entry.type = LIST_TYPE_FAULT;
	}
	send(&entry, sizeof(entry));
}

static long each_object(__u64 step, void *data)
{
	OBJECT *object = walk_table_step(&objects);

	if (object)
		read_object(object);
	return objects.done != 0;
}

static void read_mode(CTX *ctx)
{
	found.accounting = LIST_NOT_KNOWN;
	if (HAS_MODE)
		found.accounting = BPF_CORE_READ(ctx, account_mode) ==
				   IOPT_PAGES_ACCOUNT_MM;
}

static void note_missing(void)
{
#define NOTE(fact) (missing |= (HAS_##fact) ? 0 : 1ULL << UPSTREAM_##fact)
	NOTE(CONTEXTS);
	NOTE(OBJECTS);
	NOTE(MODE);
	NOTE(AREAS);
	NOTE(PINS);
	NOTE(SHARES);
	NOTE(TABLES);
	NOTE(TABLE_FLAGS);
	NOTE(TABLE_PAGES);
	NOTE(DEVICES);
	NOTE(GROUPS);
	NOTE(ATTACHED);
#undef NOTE
}

SEC("iter/task_file")
int list_upstream(struct bpf_iter__task_file *it)
{
	struct task_struct *task = it->task;
	struct file *file = it->file;
	CTX *ctx;

	if (!task || !file)
		return 0;
	if (!is_device(file, device_number) && !is_device(file, compat_number))
		return 0;
	note_missing();
	ctx = BPF_CORE_READ(file, private_data);
	/* O_PATH, or a container of VFIO type1 */
	if (!HAS_CONTEXTS || !ctx || BPF_CORE_READ(ctx, file) != file)
		return 0;
	found.ctx = number_of(ctx);
	if (!found.ctx)
		return 0;
	read_owner(&found, task, file);
	read_mode(ctx);
	send(&found, sizeof(found));
	if (!HAS_OBJECTS)
		return 0;
	objects = (struct walk_table){
		.head = BPF_CORE_READ(ctx, objects.xa_head),
	};
	bpf_loop(WALK_STEPS, each_object, NULL, 0);
	/* Something to read, so that each read() returns after one context. */
	bpf_seq_write(it->meta->seq, &found.ctx, sizeof(found.ctx));
	return 0;
}
