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

/**
 * iommufd_ucmd_respond_member - copy one member of the structure back
 * @ucmd: the request
 * @member: pointer to the member of &iommufd_ucmd.cmd, which is in the first
 *	version of the structure
 *
 * Takes a fraction of the time of iommufd_ucmd_respond().
 *
 * Return: As iommufd_ucmd_respond().
 */
#define iommufd_ucmd_respond_member(ucmd, member) \
	({ \
		size_t __offset = (void *)(member) - (ucmd)->cmd; \
		typeof(*(member)) __user *__reply = \
			(ucmd)->ubuffer + __offset; \
\
		put_user(*(member), __reply) ? \
			iommufd_ucmd_fail(ucmd, __offset + sizeof(*(member))) : \
			0; \
	})

/* Room for the largest structure. */
#define IOMMUFD_UCMD_SIZE	128

/**
 * struct iommufd_command - an ioctl of /dev/iommu
 * @cmd: its number
 * @size: size of its structure in bytes
 * @min_size: size of the first version of its structure
 * @run: does what is requested; the structure is in &iommufd_ucmd.cmd
 */
struct iommufd_command {
	unsigned int cmd;
	u16 size;
	u16 min_size;
	int (*run)(struct iommufd_ucmd *ucmd);
};

long iommufd_command_run(const struct iommufd_command *command,
			 struct iommufd_ctx *ctx, unsigned int nr,
			 unsigned long arg);
int iommufd_cmd_destroy(struct iommufd_ucmd *ucmd);

#endif
