/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_IOMMUFD_BPF_H
#define __IOMMUFD_BPF_IOMMUFD_BPF_H

/*
 * What BPF programs see of iommufd, beside its tracepoints. Programs take it
 * from BTF; it is an ABI: members keep their name, unit and meaning for ever.
 */
#include <linux/bits.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "trace/reason.h"

/* Policies that can be attached at once; one more is refused with E2BIG. */
#define IOMMUFD_BPF_MAX_POLICIES	16

/* The longest delay that a policy gets, in nanoseconds: one second. */
#define IOMMUFD_BPF_MAX_DELAY_NS	1000000000ULL

/**
 * struct iommufd_bpf_caller - who makes a request
 * @ctx: number of the context
 * @tgid: process, in the initial pid namespace
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
 * struct iommufd_bpf_hwpt - a page table (HWPT) that is to be made, or is gone
 * @caller: who makes it; in hwpt_free() who lets go of it
 * @hwpt: its id, 0 as long as there is none
 * @parent: id of the IOAS, of the second stage or of the vIOMMU
 * @device: id of the device that it is made for
 * @kind: enum iommufd_object_type: paging or nested
 * @automatic: made for an attach to an IOAS, not asked for by name
 * @flags: enum iommufd_hwpt_alloc_flags; in hwpt_alloc_done() with what was added
 *	because of policies
 * @data_type: enum iommu_hwpt_data_type
 * @data_len: bytes at @data
 * @data: user address of what the driver will be told, for
 *	bpf_copy_from_user(). The driver reads it again by itself: nothing that
 *	is decided by it is certain
 * @ret: in hwpt_alloc_done(): 0 or a negative errno
 * @ns: in hwpt_alloc_done(): how long it took, policies left out
 * @add_flags: the only one that a program may write to, in hwpt_alloc() alone:
 *	IOMMU_HWPT_ALLOC_DIRTY_TRACKING is added to an automatic page table
 *	where the IOMMU can do that and the device can be attached with it,
 *	anything else ignored
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
};

/**
 * struct iommufd_bpf_invalidate - a request to invalidate cached translations
 * @caller: who makes it
 * @object: id of the nested page table or of the vIOMMU
 * @kind: enum iommufd_object_type
 * @data_type: enum iommu_hwpt_invalidate_data_type
 * @entry_len: bytes of an entry
 * @asked: entries in the request
 * @handled: in hwpt_invalidate_done(): entries that were handled
 * @data: user address of the entries, for bpf_copy_from_user(). The driver reads
 *	them again by itself: nothing that is decided by them is certain
 * @ret: in hwpt_invalidate_done(): 0 or a negative errno
 * @limit: may be written to in hwpt_invalidate() alone: no more entries than this
 *	are handled, which the user is told with EAGAIN; @asked when the call
 *	begins
 * @delay_ns: may be written to in hwpt_invalidate() alone: sleep so long before the
 *	request is looked at, at most IOMMUFD_BPF_MAX_DELAY_NS; 0 when the call
 *	begins. The longest of all policies counts; a fatal signal ends it
 * @ns: in hwpt_invalidate_done(): how long it took, policies and delay left out
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
 * struct iommufd_bpf_ops - a policy: what BPF says about requests
 * @hwpt_alloc: before the driver makes a page table. 0 lets it go on, a negative
 *	errno refuses; anything else refuses with EPERM, as do those errnos that
 *	only the kernel knows, from ERESTARTSYS (512) on
 * @hwpt_alloc_done: afterwards, for each policy whose hwpt_alloc was called or
 *	would have been if it had one, whatever became of the request
 * @hwpt_free: a page table is gone of which this link was told in
 *	hwpt_alloc_done() that it was made
 * @hwpt_invalidate: before the driver is asked to invalidate. 0 lets it go on,
 *	a negative errno refuses all entries, as with page tables
 * @hwpt_invalidate_done: afterwards, as with page tables
 * @name: tells of a refusal in iommufd_fail; not empty
 * @priority: the higher comes first; equal ones in the order of their attach
 * @flags: 0
 * @cgroup_id: only requests from this cgroup and those below it; 0 for all.
 *	Once the cgroup is removed the policy sees no more requests
 *
 * Every member but @name may be left out. All functions may sleep, no lock of
 * iommufd is held; the caller's task makes the request. The first policy that
 * refuses ends it, those behind it are not asked.
 *
 * Attached by link only. The same map can't be attached twice (EEXIST). A
 * policy that is detached or replaced while requests run is told how those end
 * that it has seen the start of.
 */
struct iommufd_bpf_ops {
	int (*hwpt_alloc)(struct iommufd_bpf_hwpt *call);
	void (*hwpt_alloc_done)(struct iommufd_bpf_hwpt *call);
	void (*hwpt_free)(struct iommufd_bpf_hwpt *call);
	int (*hwpt_invalidate)(struct iommufd_bpf_invalidate *call);
	void (*hwpt_invalidate_done)(struct iommufd_bpf_invalidate *call);
	char name[IOMMUFD_POLICY_NAME_LEN];
	s32 priority;
	u32 flags;
	u64 cgroup_id;
};

/**
 * struct iommufd_ctx_info - a context, as an iterator finds it
 * @ctx: its number
 * @tgid: process that opened it, in the initial pid namespace
 * @uid: its real user id, in the initial user namespace
 * @accounting: enum iommufd_accounting of what is pinned from now on
 * @comm: name of the process when it opened it
 * @pinned: pages that are charged for it now
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
 * struct iommufd_object_info - an object, as an iterator finds it
 * @ctx: number of its context
 * @id: its id
 * @type: enum iommufd_object_type
 * @users: objects that depend on it, of a device or an access also its driver,
 *	of a queue its file
 * @parent: page table: id of the IOAS, or of the second stage or vIOMMU of a
 *	nested one; vIOMMU: of its page table; access: of its IOAS; else 0
 * @flags: page table: IOMMUFD_INFO_*
 * @seq: IOAS: map and unmap requests that have changed it. Each has a number of
 *	its own, in its event too: those up to @seq are in what follows, later
 *	ones are not
 * @mapped: IOAS: bytes
 * @areas: IOAS: mapped intervals
 * @pinned: IOAS: pages that its areas keep pinned, those that are shared with
 *	other areas included
 * @maps: IOAS: map requests that succeeded
 * @unmaps: IOAS: unmap requests that unmapped something
 * @invalidations: page table: requests to invalidate it that reached the driver,
 *	those through a vIOMMU count for its second stage
 * @faults: queue of page faults: groups that wait for an answer
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
};

/* flags of a page table */
#define IOMMUFD_INFO_AUTOMATIC		BIT(0)
#define IOMMUFD_INFO_NEST_PARENT	BIT(1)
#define IOMMUFD_INFO_COHERENT		BIT(2)
#define IOMMUFD_INFO_FAULTS		BIT(3)

#endif
