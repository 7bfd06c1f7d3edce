/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iterators over contexts and objects, and their types from
 * kernel/bpf/iommufd_bpf.h. As in iommufd_events.h, only names and types
 * matter.
 */
#ifndef __IOMMUFD_ITER_H
#define __IOMMUFD_ITER_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct iommufd_ctx_info {
	__u32 ctx;
	__u32 tgid;
	__u32 uid;
	__u32 accounting;
	char comm[16];
	__u64 pinned;
};

struct iommufd_object_info {
	__u32 ctx;
	__u32 id;
	__u32 type;
	__u32 users;
	__u32 parent;
	__u32 flags;
	__u64 seq;
	__u64 mapped;
	__u64 areas;
	__u64 pinned;
	__u64 maps;
	__u64 unmaps;
	__u64 invalidations;
	__u64 faults;
	__u32 hwpt;
	__u32 group;
	char name[32];
	void *domain;
};

struct iommufd_area_info {
	__u32 ctx;
	__u32 ioas;
	__u64 iova;
	__u64 length;
	__u32 source;
	__u32 flags;
	__u64 addr;
	__u64 pinned;
	__u64 pins;
};

#pragma clang attribute pop

struct bpf_iter_iommufd_ctx {
	__u64 __opaque[6];
};

struct bpf_iter_iommufd_object {
	__u64 __opaque[12];
};

struct bpf_iter_iommufd_area {
	__u64 __opaque[16];
};

int bpf_iter_iommufd_ctx_new(struct bpf_iter_iommufd_ctx *it) __ksym;
struct iommufd_ctx_info *
bpf_iter_iommufd_ctx_next(struct bpf_iter_iommufd_ctx *it) __ksym;
void bpf_iter_iommufd_ctx_destroy(struct bpf_iter_iommufd_ctx *it) __ksym;
int bpf_iter_iommufd_object_new(struct bpf_iter_iommufd_object *it,
				__u32 ctx) __ksym;
struct iommufd_object_info *
bpf_iter_iommufd_object_next(struct bpf_iter_iommufd_object *it) __ksym;
void bpf_iter_iommufd_object_destroy(struct bpf_iter_iommufd_object *it) __ksym;

/* An older iommufd does not have these; only for programs of type syscall. */
int bpf_iter_iommufd_area_new(struct bpf_iter_iommufd_area *it, __u32 ctx,
			      __u32 ioas, __u64 iova) __ksym __weak;
struct iommufd_area_info *
bpf_iter_iommufd_area_next(struct bpf_iter_iommufd_area *it) __ksym __weak;
void bpf_iter_iommufd_area_destroy(struct bpf_iter_iommufd_area *it)
	__ksym __weak;
__s64 bpf_iommufd_charge_pinned(__u32 link, __u32 ctx,
				__u32 ioas) __ksym __weak;
int bpf_iommufd_count_sizes(__u32 ctx, __u32 ioas, __u64 *pages,
			    __u32 pages__sz) __ksym __weak;

#endif
