/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_AREAS_H
#define __IOMMUFD_BPF_AREAS_H

#include <linux/types.h>

struct iommufd_area_info;
struct iommufd_ioas;

struct iommufd_ioas *iommufd_ioas_find(u32 number, u32 id);
void iommufd_ioas_leave(struct iommufd_ioas *ioas);

bool iommufd_area_info_at(u32 ctx, u32 ioas, u64 iova,
			  struct iommufd_area_info *info);
bool iommufd_area_info_from(u32 ctx, u32 ioas, u64 iova,
			    struct iommufd_area_info *info);

#endif
