/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_LATE_H
#define __IOMMUFD_BPF_LATE_H

#include <linux/types.h>

/* Only BPF programs call this. */
s64 bpf_iommufd_charge_pinned(u32 link, u32 ctx, u32 ioas);

#endif
