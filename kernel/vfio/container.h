/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_VFIO_CONTAINER_H
#define __IOMMUFD_VFIO_CONTAINER_H

#include <linux/types.h>

struct file_operations;
struct inode;

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
