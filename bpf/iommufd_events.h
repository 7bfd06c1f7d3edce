/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types that the BPF programs read, so that they build on any
 * machine, without a kernel and without its vmlinux.h. Only the fields that are
 * used are here: names and types count, libbpf takes the offsets from the
 * running kernel's BTF, or from iommufd's own when it is a module.
 *
 * docs/tracepoints.md tells what the fields of the events mean.
 */
#ifndef __IOMMUFD_EVENTS_H
#define __IOMMUFD_EVENTS_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct task_struct {
	struct task_struct *group_leader;
	char comm[16];
};

/* iommufd_ctx_open, iommufd_ctx_close */
struct trace_event_raw_iommufd_ctx {
	__u32 ctx;
};

/* iommufd_object_create, iommufd_object_destroy */
struct trace_event_raw_iommufd_object {
	__u32 ctx;
	__u32 id;
	__u32 type;
};

struct trace_event_raw_iommufd_ioas_map {
	__u32 ctx;
	__u32 ioas;
	__u64 length;
	__s32 ret;
	__u64 ns;
};

struct trace_event_raw_iommufd_ioas_unmap {
	__u32 ctx;
	__u32 ioas;
	__u64 unmapped;
	__s32 ret;
	__u64 ns;
};

/* iommufd_pin, iommufd_unpin */
struct trace_event_raw_iommufd_account {
	__u32 ctx;
	__u32 ioas;
	__u64 pages;
};

#pragma clang attribute pop

/* The values too come from BTF, through bpf_core_enum_value(). */
enum iommufd_object_type {
	IOMMUFD_OBJ_IOAS = 4,
};

#endif
