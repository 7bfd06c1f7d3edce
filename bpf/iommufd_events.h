/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types that the BPF programs read, so that the programs build
 * on any machine without a kernel or its vmlinux.h. Only the fields that are
 * used are here: names and types matter, and libbpf takes the offsets from the
 * BTF of the running kernel, or of the iommufd module.
 *
 * docs/tracepoints.md describes the fields of the events.
 */
#ifndef __IOMMUFD_EVENTS_H
#define __IOMMUFD_EVENTS_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct task_struct {
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	int tgid;
	char comm[16];
};

/* iommufd_ctx_open, iommufd_ctx_close */
struct trace_event_raw_iommufd_ctx {
	__u32 ctx;
	__u32 tgid;
	__u32 uid;
	char comm[16];
};

/* iommufd_object_create, iommufd_object_destroy */
struct trace_event_raw_iommufd_object {
	__u32 ctx;
	__u32 id;
	__u32 type;
};

struct trace_event_raw_iommufd_fail {
	__u32 ctx;
	__u32 command;
	__u32 reason;
	__s32 ret;
	__u64 first;
	__u64 second;
	char policy[16];
};

struct trace_event_raw_iommufd_ioas_map {
	__u32 ctx;
	__u32 ioas;
	__u64 iova;
	__u64 length;
	__u32 source;
	__u64 runs;
	__u64 pinned;
	__s32 ret;
	__u64 ns;
	__u64 lock_ns;
	__u64 pin_ns;
	__u64 map_ns;
};

struct trace_event_raw_iommufd_ioas_unmap {
	__u32 ctx;
	__u32 ioas;
	__u64 iova;
	__u64 length;
	__u64 unmapped;
	__u64 runs;
	__u64 unpinned;
	__u32 areas;
	__s32 ret;
	__u64 ns;
	__u64 lock_ns;
	__u64 unmap_ns;
	__u64 sync_ns;
	__u64 unpin_ns;
};

/* Programs for iommufd_ioas_map_brief have a pointer to this structure. */
struct iommufd_map_brief {
	__u32 ctx;
	__u32 ioas;
	__u64 length;
	__u32 source;
	__s32 ret;
	__u64 pinned;
	__u64 ns;
};

/* For iommufd_ioas_unmap_brief. */
struct iommufd_unmap_brief {
	__u32 ctx;
	__u32 ioas;
	__u64 unmapped;
	__u32 areas;
	__s32 ret;
	__u64 unpinned;
	__u64 ns;
};

/* iommufd_pin, iommufd_unpin */
struct trace_event_raw_iommufd_account {
	__u32 ctx;
	__u32 ioas;
	__u64 pages;
};

/* iommufd_device_bind, iommufd_device_unbind */
struct trace_event_raw_iommufd_device_bound {
	__u32 ctx;
	__u32 id;
	char device[32];
	__u32 group;
	__s32 ret;
};

/* iommufd_device_attach, iommufd_device_replace, iommufd_device_detach */
struct trace_event_raw_iommufd_device_attached {
	__u32 ctx;
	__u32 id;
	char device[32];
	__u32 group;
	__u32 pasid;
	__u32 target;
	__u32 hwpt;
	__s32 ret;
	__u64 ns;
};

struct trace_event_raw_iommufd_hwpt_alloc {
	__u32 ctx;
	__u32 hwpt;
	__u32 parent;
	__u32 device;
	__u32 kind;
	__u32 automatic;
	__u32 flags;
	__s32 ret;
};

struct trace_event_raw_iommufd_hwpt_invalidate {
	__u32 ctx;
	__u32 object;
	__u32 handled;
	__s32 ret;
	__u64 ns;
};

struct trace_event_raw_iommufd_dirty_read {
	__u32 ctx;
	__u32 hwpt;
	__u64 page_size;
	__u64 dirty;
	__s32 ret;
	__u64 ns;
};

struct trace_event_raw_iommufd_fault_report {
	__u32 ctx;
	__u32 fault;
	__u32 cookie;
	__u32 device;
	__u32 pasid;
	__u32 faults;
	__u32 perm;
	__u64 addr;
	__s32 ret;
};

struct trace_event_raw_iommufd_fault_read {
	__u32 ctx;
	__u32 fault;
	__u32 cookie;
	__u64 wait_ns;
};

/* iommufd_fault_respond, iommufd_fault_abort */
struct trace_event_raw_iommufd_fault_answered {
	__u32 ctx;
	__u32 fault;
	__u32 cookie;
	__u32 code;
	__u64 wait_ns;
};

struct trace_event_raw_iommufd_vevent {
	__u32 ctx;
	__u32 viommu;
	__u32 veventq;
	__u32 type;
	__u32 length;
	__u32 sequence;
	__u64 lost;
	__s32 ret;
};

#pragma clang attribute pop

/* The values also come from BTF, with bpf_core_enum_value(). */
enum iommufd_object_type {
	IOMMUFD_OBJ_DEVICE = 1,
	IOMMUFD_OBJ_HWPT_PAGING = 2,
	IOMMUFD_OBJ_HWPT_NESTED = 3,
	IOMMUFD_OBJ_IOAS = 4,
	IOMMUFD_OBJ_VIOMMU = 7,
};

#endif
