/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_AREA_ITER_H
#define __IOMMUFD_BPF_AREA_ITER_H

#include <linux/types.h>

struct bpf_iter_iommufd_area;
struct iommufd_area_info;

/* Only BPF programs call these. */
int bpf_iter_iommufd_area_new(struct bpf_iter_iommufd_area *it, u32 ctx,
			      u32 ioas, u64 iova);
struct iommufd_area_info *
bpf_iter_iommufd_area_next(struct bpf_iter_iommufd_area *it);
void bpf_iter_iommufd_area_destroy(struct bpf_iter_iommufd_area *it);

#endif
