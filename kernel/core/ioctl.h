/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_CORE_IOCTL_H
#define __IOMMUFD_CORE_IOCTL_H

#include <linux/iommufd.h>

struct iommufd_ctx;

/**
 * struct iommufd_ucmd - one request of user space
 * @ctx: the context it is made on
 * @ubuffer: the user's structure
 * @user_size: bytes that the user says it has
 * @cmd: a copy of it, zero padded to the size of the kernel's structure
 */
struct iommufd_ucmd {
	struct iommufd_ctx *ctx;
	void __user *ubuffer;
	u32 user_size;
	void *cmd;
};

int iommufd_ucmd_respond(struct iommufd_ucmd *ucmd, size_t size);

long iommufd_fops_ioctl(struct file *file, unsigned int nr, unsigned long arg);

int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd);
int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd);
int iommufd_ioas_copy(struct iommufd_ucmd *ucmd);
int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd);
int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd);
int iommufd_option(struct iommufd_ucmd *ucmd);

#endif
