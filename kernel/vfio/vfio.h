/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_VFIO_VFIO_H
#define __IOMMUFD_VFIO_VFIO_H

#include <linux/types.h>

struct iommufd_ctx;
struct iommufd_ioas;
struct iommufd_ucmd;

/* vfio/compat.c: the IOAS that type1 requests act on, as they don't name one */
struct iommufd_ioas *iommufd_vfio_ioas_get(struct iommufd_ctx *ctx);
int iommufd_cmd_vfio_ioas(struct iommufd_ucmd *ucmd);

/* vfio/type1.c */
long iommufd_vfio_ioctl(struct iommufd_ctx *ctx, unsigned int nr,
			unsigned long arg);

/* vfio/info.c */
int iommufd_vfio_get_info(struct iommufd_ctx *ctx, void __user *arg);

#endif
