/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_AREAS_H
#define __IOMMUFD_BPF_AREAS_H

#include <linux/types.h>

struct iommufd_area_info;

bool iommufd_area_info_at(u32 ctx, u32 ioas, u64 iova,
			  struct iommufd_area_info *info);
bool iommufd_area_info_from(u32 ctx, u32 ioas, u64 iova,
			    struct iommufd_area_info *info);

#endif
