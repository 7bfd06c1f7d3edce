/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_INFO_H
#define __IOMMUFD_BPF_INFO_H

#include <linux/types.h>

struct iommufd_ctx_info;
struct iommufd_object_info;

bool iommufd_next_ctx_info(u32 number, struct iommufd_ctx_info *info);
bool iommufd_next_object_info(u32 number, u32 id,
			      struct iommufd_object_info *info);

#endif
