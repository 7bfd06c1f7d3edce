// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatch of the ioctls of /dev/iommu.
 *
 * Each ioctl passes a structure that begins with its own size, so that both
 * sides can extend it: members that the user leaves out are taken as zero, and
 * bytes that the kernel does not know must be zero.
 */
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "core/object.h"
#include "mock/mock.h"
#include "trace/fail.h"
#include "vfio/vfio.h"

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

static int destroy_ioctl(struct iommufd_ucmd *ucmd)
{
	struct iommu_destroy *cmd = ucmd->cmd;

	return iommufd_object_destroy(ucmd->ctx, cmd->id);
}

#ifndef CONFIG_IOMMUFD_NOIOMMU
int iommufd_cmd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_noiommu_get_pa *cmd = ucmd->cmd;

	return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_NO_PHYS, cmd->iova, 0);
}
#endif

/* Room for the largest structure. */
#define UCMD_SIZE	128

struct iommufd_command {
	unsigned int cmd;
	u16 size;
	u16 min_size;
	int (*run)(struct iommufd_ucmd *ucmd);
};

/* @_last is the last member of the first version of the structure. */
#define COMMAND(_cmd, _run, _struct, _last)                            \
	[_IOC_NR(_cmd) - IOMMUFD_CMD_BASE] = {                         \
		.cmd = _cmd,                                           \
		.size = sizeof(_struct) +                              \
			BUILD_BUG_ON_ZERO(sizeof(_struct) > UCMD_SIZE), \
		.min_size = offsetofend(_struct, _last),               \
		.run = _run,                                           \
	}

static const struct iommufd_command commands[] = {
	COMMAND(IOMMU_DESTROY, destroy_ioctl, struct iommu_destroy, id),
	COMMAND(IOMMU_FAULT_QUEUE_ALLOC, iommufd_cmd_fault_queue_alloc,
		struct iommu_fault_alloc, out_fault_fd),
	COMMAND(IOMMU_GET_HW_INFO, iommufd_cmd_get_hw_info, struct iommu_hw_info,
		__reserved),
	COMMAND(IOMMU_HW_QUEUE_ALLOC, iommufd_cmd_hw_queue_alloc,
		struct iommu_hw_queue_alloc, length),
	COMMAND(IOMMU_HWPT_ALLOC, iommufd_cmd_hwpt_alloc,
		struct iommu_hwpt_alloc, __reserved),
	COMMAND(IOMMU_HWPT_GET_DIRTY_BITMAP, iommufd_cmd_hwpt_get_dirty_bitmap,
		struct iommu_hwpt_get_dirty_bitmap, data),
	COMMAND(IOMMU_HWPT_INVALIDATE, iommufd_cmd_hwpt_invalidate,
		struct iommu_hwpt_invalidate, __reserved),
	COMMAND(IOMMU_HWPT_SET_DIRTY_TRACKING, iommufd_cmd_hwpt_set_dirty_tracking,
		struct iommu_hwpt_set_dirty_tracking, __reserved),
	COMMAND(IOMMU_IOAS_ALLOC, iommufd_cmd_ioas_alloc,
		struct iommu_ioas_alloc, out_ioas_id),
	COMMAND(IOMMU_IOAS_ALLOW_IOVAS, iommufd_cmd_ioas_allow_iovas,
		struct iommu_ioas_allow_iovas, allowed_iovas),
	COMMAND(IOMMU_IOAS_CHANGE_PROCESS, iommufd_cmd_ioas_change_process,
		struct iommu_ioas_change_process, __reserved),
	COMMAND(IOMMU_IOAS_COPY, iommufd_cmd_ioas_copy, struct iommu_ioas_copy,
		src_iova),
	COMMAND(IOMMU_IOAS_IOVA_RANGES, iommufd_cmd_ioas_iova_ranges,
		struct iommu_ioas_iova_ranges, out_iova_alignment),
	COMMAND(IOMMU_IOAS_MAP, iommufd_cmd_ioas_map, struct iommu_ioas_map, iova),
	COMMAND(IOMMU_IOAS_MAP_FILE, iommufd_cmd_ioas_map_file,
		struct iommu_ioas_map_file, iova),
	COMMAND(IOMMU_IOAS_NOIOMMU_GET_PA, iommufd_cmd_ioas_noiommu_get_pa,
		struct iommu_ioas_noiommu_get_pa, out_phys),
	COMMAND(IOMMU_IOAS_UNMAP, iommufd_cmd_ioas_unmap, struct iommu_ioas_unmap,
		length),
	COMMAND(IOMMU_OPTION, iommufd_cmd_option, struct iommu_option, val64),
#ifdef CONFIG_IOMMUFD_TEST
	COMMAND(IOMMU_TEST_CMD, iommufd_cmd_test, struct iommu_test_cmd,
		last),
#endif
	COMMAND(IOMMU_VDEVICE_ALLOC, iommufd_cmd_vdevice_alloc,
		struct iommu_vdevice_alloc, virt_id),
	COMMAND(IOMMU_VEVENTQ_ALLOC, iommufd_cmd_veventq_alloc,
		struct iommu_veventq_alloc, out_veventq_fd),
	COMMAND(IOMMU_VFIO_IOAS, iommufd_cmd_vfio_ioas, struct iommu_vfio_ioas,
		__reserved),
	COMMAND(IOMMU_VIOMMU_ALLOC, iommufd_cmd_viommu_alloc,
		struct iommu_viommu_alloc, out_viommu_id),
};

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

static long run_command(struct iommufd_ctx *ctx, unsigned int nr,
			unsigned long arg)
{
	const struct iommufd_command *command;
	u8 buffer[UCMD_SIZE] __aligned(sizeof(u64));
	struct iommufd_ucmd ucmd = {
		.ctx = ctx,
		.ubuffer = (void __user *)arg,
		.cmd = buffer,
	};
	unsigned int index = _IOC_NR(nr) - IOMMUFD_CMD_BASE;
	int ret;

	/* VFIO's ioctls have the same type and lower numbers. */
	if (index >= ARRAY_SIZE(commands))
		return iommufd_vfio_ioctl(ctx, nr, arg);
	command = &commands[array_index_nospec(index, ARRAY_SIZE(commands))];
	if (command->cmd != nr)
		return iommufd_fail(-ENOTTY, IOMMUFD_REASON_UNKNOWN_COMMAND, nr,
				    0);

	if (get_user(ucmd.user_size, (u32 __user *)ucmd.ubuffer))
		return iommufd_ucmd_fail(&ucmd, sizeof(u32));
	if (ucmd.user_size < command->min_size)
		return refuse(-EINVAL, command, &ucmd);

	ret = copy_struct_from_user(ucmd.cmd, command->size, ucmd.ubuffer,
				    ucmd.user_size);
	if (ret)
		return refuse(ret, command, &ucmd);
	return command->run(&ucmd);
}

/* Not inlined, so that only observed requests need stack for it. */
static noinline long run_observed(struct iommufd_ctx *ctx, unsigned int nr,
				  unsigned long arg)
{
	struct iommufd_request request;

	iommufd_request_begin(&request, ctx, nr);
	return iommufd_request_end(&request, run_command(ctx, nr, arg));
}

long iommufd_fops_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	if (trace_iommufd_fail_enabled())
		return run_observed(file->private_data, nr, arg);
	return run_command(file->private_data, nr, arg);
}
