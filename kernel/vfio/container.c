// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vfio/vfio, the container that programs written for VFIO type1 open. It
 * replaces VFIO's own container; an open file is a context, as with /dev/iommu.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "vfio/container.h"

static struct miscdevice container_misc = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.nodename = "vfio/vfio",
	/* Useless without a group, and the group's file has the permissions. */
	.mode = 0666,
};

/**
 * iommufd_container_init - register /dev/vfio/vfio
 * @fops: the file operations, those of /dev/iommu
 *
 * Return: 0 or a negative errno.
 */
int iommufd_container_init(const struct file_operations *fops)
{
	container_misc.fops = fops;
	return misc_register(&container_misc);
}

/**
 * iommufd_container_exit - undo iommufd_container_init()
 */
void iommufd_container_exit(void)
{
	misc_deregister(&container_misc);
}

/**
 * iommufd_container_is - check if a file of iommufd is /dev/vfio/vfio
 * @inode: its inode
 *
 * Return: true for /dev/vfio/vfio, false for /dev/iommu.
 */
bool iommufd_container_is(const struct inode *inode)
{
	return iminor(inode) == VFIO_MINOR;
}

MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
