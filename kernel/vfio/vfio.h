/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_VFIO_VFIO_H
#define __IOMMUFD_VFIO_VFIO_H

#include <linux/types.h>

#include "ioas/space.h"

struct file_operations;
struct inode;
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

/**
 * struct iommufd_vfio_limits - the common limits of all devices of VFIO
 * @space: an empty address space; what any of them can't use is reserved
 * @page_sizes: page sizes that all of their IOMMUs support
 */
struct iommufd_vfio_limits {
	struct iommufd_space space;
	unsigned long page_sizes;
};

/* vfio/limits.c */
int iommufd_vfio_limits_get(struct iommufd_vfio_limits *limits);
void iommufd_vfio_limits_put(struct iommufd_vfio_limits *limits);

/* vfio/container.c: /dev/vfio/vfio */
#ifdef CONFIG_IOMMUFD_VFIO_CONTAINER
int iommufd_container_init(const struct file_operations *fops);
void iommufd_container_exit(void);
bool iommufd_container_is(const struct inode *inode);
#else
static inline int iommufd_container_init(const struct file_operations *fops)
{
	return 0;
}

static inline void iommufd_container_exit(void)
{
}

static inline bool iommufd_container_is(const struct inode *inode)
{
	return false;
}
#endif

#endif
