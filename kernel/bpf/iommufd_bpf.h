/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_IOMMUFD_BPF_H
#define __IOMMUFD_BPF_IOMMUFD_BPF_H

/*
 * The interface of iommufd to BPF programs, besides its tracepoints. Programs
 * get these types from BTF. They are a stable ABI: existing members keep their
 * name, type, unit and meaning.
 */
#include <linux/bits.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "trace/reason.h"

struct iommu_domain;

/*
 * Maximum number of attached policies; attaching another one fails with E2BIG.
 */
#define IOMMUFD_BPF_MAX_POLICIES	16

/* The maximum delay that a policy can request, in nanoseconds: one second. */
#define IOMMUFD_BPF_MAX_DELAY_NS	1000000000ULL

/* Number of cgroups, from the root downwards, that a charge names. */
#define IOMMUFD_BPF_MAX_ANCESTORS	16

/**
 * struct iommufd_bpf_caller - the task that makes a request
 * @ctx: number of the context
 * @tgid: its process, in the initial pid namespace
 * @uid: its real user id, in the initial user namespace
 * @cgroup_id: id of its cgroup in the default hierarchy
 */
struct iommufd_bpf_caller {
	u32 ctx;
	u32 tgid;
	u32 uid;
	u64 cgroup_id;
};

/**
 * struct iommufd_bpf_hwpt - a page table (HWPT) to be allocated, or that is
 * gone
 * @caller: the task that allocates it; in hwpt_free() the task that frees it
 * @hwpt: id of the page table, 0 if it does not exist yet
 * @parent: id of the IOAS, nesting parent (second stage) or vIOMMU
 * @device: id of the device for which it is allocated
 * @kind: enum iommufd_object_type: paging or nested
 * @automatic: 1 if it is allocated for an attach to an IOAS, 0 if the user
 *	requested it with IOMMU_HWPT_ALLOC
 * @flags: enum iommufd_hwpt_alloc_flags; in hwpt_alloc_done() including the
 *	flags that policies added
 * @data_type: enum iommu_hwpt_data_type
 * @data_len: bytes at @data
 * @data: user address of the data for the driver, for bpf_copy_from_user(). The
 *	driver reads it again and the user may change it in between: don't base
 *	decisions about security on it
 * @ret: in hwpt_alloc_done(): 0 or a negative errno
 * @ns: in hwpt_alloc_done(): duration of the allocation, without policies
 * @add_flags: initially 0. A program may write it, but only in hwpt_alloc():
 *	IOMMU_HWPT_ALLOC_DIRTY_TRACKING is added to an automatic page table if
 *	the IOMMU supports it and the device can be attached with it; all other
 *	bits are ignored
 * @max_page_shift: initially 0. A program may write it, but only in
 *	hwpt_alloc(): no entry of a paging page table, automatic or not, maps
 *	more than 1 << @max_page_shift bytes. The lowest value of all policies
 *	counts, except 0. If the IOMMU has no pages as small as that, its
 *	smallest ones are used; 0 and values above 63 are no limit. In
 *	hwpt_alloc_done() the limit that applies, 0 for none. Ignored for nested
 *	page tables
 * @can_add: enum iommufd_hwpt_alloc_flags that @add_flags may add to this page
 *	table
 */
struct iommufd_bpf_hwpt {
	struct iommufd_bpf_caller caller;
	u32 hwpt;
	u32 parent;
	u32 device;
	u32 kind;
	u32 automatic;
	u32 flags;
	u32 data_type;
	u32 data_len;
	u64 data;
	s32 ret;
	u32 add_flags;
	u64 ns;
	u32 max_page_shift;
	u32 can_add;
};

/**
 * struct iommufd_bpf_invalidate - a request to invalidate cached translations
 * @caller: the task that makes the request
 * @object: id of the nested page table or of the vIOMMU
 * @kind: enum iommufd_object_type
 * @data_type: enum iommu_hwpt_invalidate_data_type
 * @entry_len: size of an entry in bytes
 * @asked: number of entries in the request
 * @handled: in hwpt_invalidate_done(): number of entries that were handled
 * @data: user address of the entries, for bpf_copy_from_user(). The driver
 *	reads them again and the user may change them in between: don't base
 *	decisions about security on them
 * @ret: in hwpt_invalidate_done(): 0 or a negative errno
 * @limit: initially @asked. A program may write it, but only in
 *	hwpt_invalidate(): at most this number of entries is handled. If that is
 *	fewer than requested, the user gets EAGAIN. The lowest limit of all
 *	policies counts
 * @delay_ns: initially 0. A program may write it, but only in
 *	hwpt_invalidate(): sleep for this time before the request is processed,
 *	at most IOMMUFD_BPF_MAX_DELAY_NS. The longest delay of all policies
 *	counts; a fatal signal ends the sleep
 * @ns: in hwpt_invalidate_done(): duration, without policies and delay
 */
struct iommufd_bpf_invalidate {
	struct iommufd_bpf_caller caller;
	u32 object;
	u32 kind;
	u32 data_type;
	u32 entry_len;
	u32 asked;
	u32 handled;
	u64 data;
	s32 ret;
	u32 limit;
	u64 delay_ns;
	u64 ns;
};

/**
 * struct iommufd_bpf_charge - pinned pages that are charged or uncharged
 * @ctx: number of the context
 * @ioas: id of the IOAS that pins or unpins the pages; an IOAS may unpin pages
 *	that another one has pinned
 * @tgid: the owner: the process that mapped the pages or took them over with
 *	IOMMU_IOAS_CHANGE_PROCESS, in the initial pid namespace. It may have
 *	ended
 * @uid: real user id of the owner when it became the owner, in the initial user
 *	namespace
 * @source: enum iommufd_source: user memory or a memfd. dma-bufs are not pinned
 *	and not charged
 * @forced: in charge(): 1 if the pages can't be refused
 * @npages: number of pages of PAGE_SIZE, at least one
 * @detail: initially 0. A program may write it, but only in charge(): a number
 *	that explains a refusal, for example the id of a cgroup that has reached
 *	its limit. iommufd_fail reports it
 * @cgroup_id: id of the owner's cgroup in the default hierarchy when pages of
 *	the mapping were first charged to a policy. It stays the same until the
 *	pages get another owner, even if the process moves or the cgroup is
 *	removed
 * @level: number of ancestors of that cgroup; 0 if it is the root
 * @page_shift: binary logarithm of PAGE_SIZE
 * @ancestors: ids of the ancestors by level, from the root at index 0 to
 *	@cgroup_id at index @level; those that don't fit are left out. All
 *	others are 0
 */
struct iommufd_bpf_charge {
	u32 ctx;
	u32 ioas;
	u32 tgid;
	u32 uid;
	u32 source;
	u32 forced;
	u64 npages;
	u64 detail;
	u64 cgroup_id;
	u32 level;
	u32 page_shift;
	u64 ancestors[IOMMUFD_BPF_MAX_ANCESTORS];
};

/**
 * struct iommufd_bpf_ops - a policy: BPF programs that control requests
 * @name: name of the policy, reported by iommufd_fail if it refuses; not empty
 * @priority: policies with a higher priority are called first, those with equal
 *	priority in the order in which they were attached
 * @flags: must be 0
 * @cgroup_id: if not 0, the policy only applies to requests from this cgroup
 *	and its descendants; @charge is only called for owners in them. Once the
 *	cgroup is removed, the policy no longer applies to any request
 *
 * All members except @name are optional. If a policy refuses a request, the
 * policies after it are not called.
 *
 * A policy can only be attached by a link. The same map can't be attached twice
 * (EEXIST). If a policy is detached or replaced while requests are running, it
 * still gets the end of each request whose start it has seen.
 */
struct iommufd_bpf_ops {
	/**
	 * @hwpt_alloc: called before the driver allocates a page table.
	 *
	 * Context: Process context of the task that makes the request. May
	 * sleep. No lock of iommufd is held.
	 *
	 * Return: 0 to permit the request, or a negative errno to refuse it. A
	 * positive value, and errnos that are internal to the kernel
	 * (ERESTARTSYS, 512, and above), refuse it with EPERM.
	 */
	int (*hwpt_alloc)(struct iommufd_bpf_hwpt *call);
	/**
	 * @hwpt_alloc_done: called when the request has ended, with or without
	 * success, for each policy whose @hwpt_alloc was called or would have
	 * been called if the policy had one.
	 *
	 * Context: Process context of the task that makes the request. May
	 * sleep. No lock of iommufd is held.
	 */
	void (*hwpt_alloc_done)(struct iommufd_bpf_hwpt *call);
	/**
	 * @hwpt_free: called when a page table is gone, if @hwpt_alloc_done has
	 * reported its successful allocation to this link.
	 *
	 * Context: Process context of the task that frees the page table. May
	 * sleep. No lock of iommufd is held.
	 */
	void (*hwpt_free)(struct iommufd_bpf_hwpt *call);
	/**
	 * @hwpt_invalidate: called before the driver invalidates.
	 *
	 * Context: Process context of the task that makes the request. May
	 * sleep. No lock of iommufd is held.
	 *
	 * Return: 0 to permit the request, or a negative errno to refuse all
	 * entries, with the same rules as for @hwpt_alloc.
	 */
	int (*hwpt_invalidate)(struct iommufd_bpf_invalidate *call);
	/**
	 * @hwpt_invalidate_done: called when the request has ended, with or
	 * without success, for each policy whose @hwpt_invalidate was called or
	 * would have been called if the policy had one.
	 *
	 * Context: Process context of the task that makes the request. May
	 * sleep. No lock of iommufd is held.
	 */
	void (*hwpt_invalidate_done)(struct iommufd_bpf_invalidate *call);
	char name[IOMMUFD_POLICY_NAME_LEN];
	s32 priority;
	u32 flags;
	u64 cgroup_id;
	/**
	 * @charge: called before pages are pinned, whatever pins them: a map,
	 * an attach, a driver in the kernel, a copy. It is also called before
	 * pinned pages get another owner, after @uncharge for the old one. The
	 * limit of RLIMIT_MEMLOCK has been checked before. Owners that have no
	 * such limit are charged too.
	 *
	 * Pages that are shared by several mappings are charged once, when the
	 * first of them pins them.
	 *
	 * If @forced is set, the return value is ignored and the pages count as
	 * charged, since they are pinned already: either they return to their
	 * old owner because a change of the owner has failed, or they were
	 * pinned before the policy was attached, and
	 * bpf_iommufd_charge_pinned() was called for it.
	 *
	 * Context: Process context, of the task that pins the pages, or of a
	 * kthread. Mutexes are held, so the program must not sleep; one that
	 * may sleep is rejected. Calls of @charge and @uncharge are serialised,
	 * over all policies and contexts.
	 *
	 * Return: 0 to permit the request, or a negative errno to refuse it,
	 * with the same rules as for @hwpt_alloc. No page is pinned then. The
	 * policies that were called before, but not this one, get @uncharge.
	 */
	int (*charge)(struct iommufd_bpf_charge *call);
	/**
	 * @uncharge: called when pages have been unpinned or get another owner,
	 * and when they could not be pinned after all. Pages that were charged
	 * together may be uncharged in parts, and the other way round.
	 *
	 * Every page that @charge has reported to this link is uncharged once,
	 * with the same owner, and no other pages are: pages that were pinned
	 * before the policy was attached are not uncharged, unless it was
	 * charged for them later. When the policy is detached, what it was
	 * charged for is forgotten. If it is replaced, the new policy gets the
	 * calls.
	 *
	 * Context: As @charge, or of any task that drops the last reference to
	 * the pages.
	 */
	void (*uncharge)(struct iommufd_bpf_charge *call);
};

/**
 * struct iommufd_ctx_info - a context as reported by an iterator
 * @ctx: number of the context
 * @tgid: process that opened it, in the initial pid namespace
 * @uid: real user id of that process, in the initial user namespace
 * @accounting: enum iommufd_accounting, how newly pinned pages are charged
 * @comm: name of the process when it opened the context
 * @pinned: number of pages that are currently charged on behalf of the context
 */
struct iommufd_ctx_info {
	u32 ctx;
	u32 tgid;
	u32 uid;
	u32 accounting;
	char comm[TASK_COMM_LEN];
	u64 pinned;
};

/**
 * struct iommufd_object_info - an object as reported by an iterator
 * @ctx: number of its context
 * @id: id of the object
 * @type: enum iommufd_object_type
 * @users: number of objects that depend on it; includes the driver of a device
 *	or an access, and the file of a queue
 * @parent: paging page table: id of its IOAS; nested page table: id of its
 *	nesting parent (second stage) or vIOMMU; vIOMMU: id of its page table;
 *	access: id of its IOAS; else 0
 * @flags: page table: IOMMUFD_INFO_*
 * @seq: IOAS: number of map and unmap requests that have changed it. Their
 *	events carry the same numbers: @mapped, @areas, @maps and @unmaps
 *	include all requests up to @seq and none after it
 * @mapped: IOAS: mapped bytes
 * @areas: IOAS: mapped intervals
 * @pinned: IOAS: pages that its areas keep pinned, including pages shared with
 *	other areas
 * @maps: IOAS: successful map requests
 * @unmaps: IOAS: unmap requests that unmapped something
 * @invalidations: page table: invalidation requests that reached the driver;
 *	requests to a vIOMMU count for its nesting parent
 * @faults: queue of page faults: groups that wait for a response
 * @hwpt: device: id of the page table that it is attached to without a PASID, 0
 *	if it is not attached
 * @group: device: number of its IOMMU group, also 0 if it has no group
 * @name: device: its name, as in /sys/bus/pci/devices, truncated to 31 bytes;
 *	else empty
 * @domain: page table: its domain, else NULL. The domain can be freed at any
 *	time, so a program may only look at it with bpf_probe_read_kernel()
 */
struct iommufd_object_info {
	u32 ctx;
	u32 id;
	u32 type;
	u32 users;
	u32 parent;
	u32 flags;
	u64 seq;
	u64 mapped;
	u64 areas;
	u64 pinned;
	u64 maps;
	u64 unmaps;
	u64 invalidations;
	u64 faults;
	u32 hwpt;
	u32 group;
	char name[IOMMUFD_DEVICE_NAME_LEN];
	const struct iommu_domain *domain;
};

/* Flags of a page table in struct iommufd_object_info */
#define IOMMUFD_INFO_AUTOMATIC		BIT(0)
#define IOMMUFD_INFO_NEST_PARENT	BIT(1)
#define IOMMUFD_INFO_COHERENT		BIT(2)
#define IOMMUFD_INFO_FAULTS		BIT(3)

/**
 * struct iommufd_area_info - an area, that is a mapping of an IOAS, as reported
 * by an iterator
 * @ctx: number of its context
 * @ioas: id of its IOAS
 * @iova: first address
 * @length: bytes
 * @source: enum iommufd_source, where its pages come from; a copy has the
 *	source of the area that it was copied from
 * @flags: IOMMUFD_AREA_*
 * @addr: where its first byte comes from. With IOMMUFD_SOURCE_VA a user address
 *	of the process that mapped it, with IOMMUFD_SOURCE_MEMFD an offset in
 *	the file, with IOMMUFD_SOURCE_DMABUF a physical address
 * @pinned: number of pages that the area keeps pinned for page tables, including
 *	pages shared with other areas
 * @pins: sum of the pins that drivers in the kernel have on its pages
 */
struct iommufd_area_info {
	u32 ctx;
	u32 ioas;
	u64 iova;
	u64 length;
	u32 source;
	u32 flags;
	u64 addr;
	u64 pinned;
	u64 pins;
};

/*
 * Flags in struct iommufd_area_info: what devices may do, and whether the
 * exporter of its dma-buf has revoked it, so that no page table maps it.
 * While an area is being mapped or unmapped, it keeps its addresses reserved.
 */
#define IOMMUFD_AREA_READ		BIT(0)
#define IOMMUFD_AREA_WRITE		BIT(1)
#define IOMMUFD_AREA_REVOKED		BIT(2)
#define IOMMUFD_AREA_IN_MAP		BIT(3)
#define IOMMUFD_AREA_IN_UNMAP		BIT(4)

/* Entries of the array of bpf_iommufd_count_sizes(): PAGE_SIZE << 0 to 18. */
#define IOMMUFD_PAGE_ORDERS		19

#endif
