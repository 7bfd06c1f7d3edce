// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vfio/vfio, the container that programs written for VFIO type1 open, in
 * the place of VFIO's own: a context like those of /dev/iommu.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "vfio/vfio.h"

static struct miscdevice container_misc = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.nodename = "vfio/vfio",
	/* Worth nothing without a group, whose file has the permissions. */
	.mode = 0666,
};

/**
 * iommufd_container_init - make /dev/vfio/vfio
 * @fops: what it does, the same as /dev/iommu
 *
 * Returns 0 or a negative errno.
 */
int iommufd_container_init(const struct file_operations *fops)
{
	container_misc.fops = fops;
	return misc_register(&container_misc);
}

/**
 * iommufd_container_exit - end what iommufd_container_init() began
 */
void iommufd_container_exit(void)
{
	misc_deregister(&container_misc);
}

/**
 * iommufd_container_is - whether a file of iommufd is opened as /dev/vfio/vfio
 * @inode: its inode
 */
bool iommufd_container_is(const struct inode *inode)
{
	return iminor(inode) == VFIO_MINOR;
}

MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
