/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_ITER_H
#define __IOMMUFD_BPF_ITER_H

#include <linux/types.h>

struct bpf_iter_iommufd_ctx;
struct bpf_iter_iommufd_object;
struct iommufd_ctx_info;
struct iommufd_object_info;

int iommufd_iter_init(void);

/* Only BPF programs call these. */
int bpf_iter_iommufd_ctx_new(struct bpf_iter_iommufd_ctx *it);
struct iommufd_ctx_info *
bpf_iter_iommufd_ctx_next(struct bpf_iter_iommufd_ctx *it);
void bpf_iter_iommufd_ctx_destroy(struct bpf_iter_iommufd_ctx *it);
int bpf_iter_iommufd_object_new(struct bpf_iter_iommufd_object *it, u32 ctx);
struct iommufd_object_info *
bpf_iter_iommufd_object_next(struct bpf_iter_iommufd_object *it);
void bpf_iter_iommufd_object_destroy(struct bpf_iter_iommufd_object *it);

#endif
