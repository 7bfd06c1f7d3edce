// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the ioctls of /dev/iommu.
 *
 * Each ioctl passes a structure that begins with its own size, so that both
 * sides can extend it: members that the user leaves out are taken as zero, and
 * bytes that the kernel does not know must be zero.
 */
#include <linux/uaccess.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "core/object.h"
#include "trace/fail.h"

/**
 * iommufd_ucmd_fail - report that the user's structure is not accessible
 * @ucmd: the request
 * @size: bytes to be read or written
 *
 * Return: -EFAULT
 */
int iommufd_ucmd_fail(const struct iommufd_ucmd *ucmd, size_t size)
{
	return iommufd_fail_user(ucmd->ubuffer, size);
}

/**
 * iommufd_cmd_destroy - IOMMU_DESTROY
 * @ucmd: the request
 *
 * Return: 0 or a negative errno, see iommufd_object_destroy().
 */
int iommufd_cmd_destroy(struct iommufd_ucmd *ucmd)
{
	struct iommu_destroy *cmd = ucmd->cmd;

	return iommufd_object_destroy(ucmd->ctx, cmd->id);
}

/* Report why the user's structure could not be copied. */
static noinline int __cold refuse(int error,
				  const struct iommufd_command *command,
				  const struct iommufd_ucmd *ucmd)
{
	switch (error) {
	case -EINVAL:
		return iommufd_fail(error, IOMMUFD_REASON_BAD_SIZE,
				    ucmd->user_size, command->min_size);
	case -E2BIG:
		return iommufd_fail(error, IOMMUFD_REASON_TRAILING_BYTES,
				    ucmd->user_size, command->size);
	default:
		return iommufd_fail_user(ucmd->ubuffer, ucmd->user_size);
	}
}

static noinline int copy_any_version(const struct iommufd_command *command,
				     struct iommufd_ucmd *ucmd)
{
	int ret = -EINVAL;

	if (get_user(ucmd->user_size, (u32 __user *)ucmd->ubuffer))
		return iommufd_ucmd_fail(ucmd, sizeof(u32));
	if (ucmd->user_size >= command->min_size)
		ret = copy_struct_from_user(ucmd->cmd, command->size,
					    ucmd->ubuffer, ucmd->user_size);
	return ret ? refuse(ret, command, ucmd) : 0;
}

/**
 * iommufd_command_run - run an ioctl
 * @command: its entry in the table of commands
 * @ctx: the context
 * @nr: number of the ioctl
 * @arg: address of the user's structure
 *
 * Return: 0 or a negative errno, -ENOTTY if @command has another number.
 */
long iommufd_command_run(const struct iommufd_command *command,
			 struct iommufd_ctx *ctx, unsigned int nr,
			 unsigned long arg)
{
	u8 buffer[IOMMUFD_UCMD_SIZE] __aligned(sizeof(u64)) __uninitialized;
	struct iommufd_ucmd ucmd = {
		.ctx = ctx,
		.ubuffer = (void __user *)arg,
		.cmd = buffer,
	};
	int ret;

	if (command->cmd != nr)
		return iommufd_fail(-ENOTTY, IOMMUFD_REASON_UNKNOWN_COMMAND, nr,
				    0);

	/* Most structures have one version: access user memory once. */
	ucmd.user_size = command->size;
	if (command->size != command->min_size ||
	    copy_from_user(buffer, ucmd.ubuffer, command->size) ||
	    *(u32 *)buffer != command->size) {
		ret = copy_any_version(command, &ucmd);
		if (ret)
			return ret;
	}
	return command->run(&ucmd);
}
