/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_MAP_H
#define __IOMMUFD_IOAS_MAP_H

#include <linux/types.h>

struct iommufd_ioas;
struct iommufd_map_stats;
struct iommufd_ucmd;
struct list_head;

int iommufd_ioas_map_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			   unsigned long *iova, u32 flags,
			   struct iommufd_map_stats *stats);

/* ioas/map_ioctl.c */
int iommufd_cmd_ioas_map(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_map_file(struct iommufd_ucmd *ucmd);

#endif
