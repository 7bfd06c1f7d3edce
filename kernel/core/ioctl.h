/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_CORE_IOCTL_H
#define __IOMMUFD_CORE_IOCTL_H

#include <linux/iommufd.h>
#include <linux/uaccess.h>

struct iommufd_ctx;

/**
 * struct iommufd_ucmd - a request from user space
 * @ctx: the context of the request
 * @ubuffer: the user's structure
 * @user_size: its size in bytes according to the user
 * @cmd: a copy of it, zero padded to the size of the kernel's structure
 */
struct iommufd_ucmd {
	struct iommufd_ctx *ctx;
	void __user *ubuffer;
	u32 user_size;
	void *cmd;
};

int __cold iommufd_ucmd_fail(const struct iommufd_ucmd *ucmd, size_t size);

/**
 * iommufd_ucmd_respond - copy the kernel's copy of the structure back
 * @ucmd: the request
 * @size: size of the kernel's structure in bytes
 *
 * Return: 0 or -EFAULT, in which case the caller must undo the request.
 */
static inline int iommufd_ucmd_respond(struct iommufd_ucmd *ucmd, size_t size)
{
	if (copy_to_user(ucmd->ubuffer, ucmd->cmd,
			 min_t(size_t, ucmd->user_size, size)))
		return iommufd_ucmd_fail(ucmd, size);
	return 0;
}

long iommufd_fops_ioctl(struct file *file, unsigned int nr, unsigned long arg);

int iommufd_cmd_get_hw_info(struct iommufd_ucmd *ucmd);
int iommufd_cmd_fault_queue_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_hw_queue_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_hwpt_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd);
int iommufd_cmd_hwpt_invalidate(struct iommufd_ucmd *ucmd);
int iommufd_cmd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_allow_iovas(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_change_process(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_copy(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_map(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_map_file(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_unmap(struct iommufd_ucmd *ucmd);
int iommufd_cmd_option(struct iommufd_ucmd *ucmd);
int iommufd_cmd_vdevice_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_veventq_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_viommu_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_vfio_ioas(struct iommufd_ucmd *ucmd);

#endif
