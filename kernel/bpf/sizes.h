/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_SIZES_H
#define __IOMMUFD_BPF_SIZES_H

#include <linux/types.h>

/* Only BPF programs call this. */
int bpf_iommufd_count_sizes(u32 ctx, u32 ioas, u64 *pages, u32 pages__sz);

#endif
