// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommufd gives user space control of I/O page tables. This file puts its parts
 * together: the table of commands, the table of object types, and /dev/iommu,
 * whose files are the contexts. It also has the functions with which other
 * drivers refer to a context.
 *
 * docs/architecture.md of the iommufd-bpf project describes the parts of the
 * subsystem and the lock order.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "bpf/policy.h"
#include "builtin/doorbell.h"
#include "core/ctx.h"
#include "core/ioctl.h"
#include "core/mmap.h"
#include "core/object.h"
#include "device/device.h"
#include "eventq/fault.h"
#include "eventq/veventq.h"
#include "hwpt/hwpt.h"
#include "hwpt/nested.h"
#include "hwpt/paging.h"
#include "ioas/access.h"
#include "ioas/ioas.h"
#include "ioas/map.h"
#include "ioas/unmap.h"
#include "mock/mock.h"
#include "pages/owner.h"
#include "pages/pages.h"
#include "trace/fail.h"
#include "vfio/container.h"
#include "vfio/vfio.h"
#include "viommu/viommu.h"

const struct iommufd_object_ops *const iommufd_object_ops[IOMMUFD_OBJ_MAX] = {
	[IOMMUFD_OBJ_ACCESS] = &iommufd_access_ops,
	[IOMMUFD_OBJ_DEVICE] = &iommufd_device_ops,
	[IOMMUFD_OBJ_FAULT] = &iommufd_fault_ops,
	[IOMMUFD_OBJ_HW_QUEUE] = &iommufd_hw_queue_ops,
	[IOMMUFD_OBJ_HWPT_NESTED] = &iommufd_hwpt_nested_ops,
	[IOMMUFD_OBJ_HWPT_PAGING] = &iommufd_hwpt_paging_ops,
	[IOMMUFD_OBJ_IOAS] = &iommufd_ioas_ops,
	[IOMMUFD_OBJ_VDEVICE] = &iommufd_vdevice_ops,
	[IOMMUFD_OBJ_VEVENTQ] = &iommufd_veventq_ops,
	[IOMMUFD_OBJ_VIOMMU] = &iommufd_viommu_ops,
#ifdef CONFIG_IOMMUFD_TEST
	[IOMMUFD_OBJ_SELFTEST] = &iommufd_mock_slot_ops,
#endif
};

/* @_last is the last member of the first version of the structure. */
#define COMMAND(_cmd, _run, _struct, _last)                                   \
	[_IOC_NR(_cmd) - IOMMUFD_CMD_BASE] = {                                \
		.cmd = _cmd,                                                  \
		.size = sizeof(_struct) +                                     \
			BUILD_BUG_ON_ZERO(sizeof(_struct) > IOMMUFD_UCMD_SIZE), \
		.min_size = offsetofend(_struct, _last),                      \
		.run = _run,                                                  \
	}

static const struct iommufd_command commands[] = {
	COMMAND(IOMMU_DESTROY, iommufd_cmd_destroy, struct iommu_destroy, id),
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

DEFINE_XARRAY_FLAGS(iommufd_contexts, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
static u32 next_ctx_number;

/* Numbers are allocated cyclically, so that one is not reused soon. */
static int number_ctx(struct iommufd_ctx *ctx)
{
	int ret;

	ret = xa_alloc_cyclic(&iommufd_contexts, &ctx->number, NULL,
			      XA_LIMIT(1, U32_MAX), &next_ctx_number,
			      GFP_KERNEL_ACCOUNT);
	return min(ret, 0);
}

static int iommufd_fops_open(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ctx;
	int ret;

	ctx = kzalloc_obj(*ctx, GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	ret = number_ctx(ctx);
	if (ret) {
		kfree(ctx);
		return ret;
	}

	/* Ids start at 1, so that user space can use 0 for "no object". */
	xa_init_flags(&ctx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init(&ctx->groups);
	init_waitqueue_head(&ctx->destroy_wait);
	INIT_LIST_HEAD(&ctx->watches);
	mutex_init(&ctx->process_lock);
	mutex_init(&ctx->doorbells_lock);
	INIT_LIST_HEAD(&ctx->doorbells);
	INIT_LIST_HEAD(&ctx->msi_handles);
	mutex_init(&ctx->mmaps_lock);
	INIT_LIST_HEAD(&ctx->mmaps);
	ctx->file = file;
	/* Programs for VFIO's own container expect per-mm accounting. */
	ctx->accounting = iommufd_container_is(inode) ? IOMMUFD_ACCOUNT_MM :
							IOMMUFD_ACCOUNT_USER;
	ctx->tgid = task_tgid_nr(current);
	ctx->uid = from_kuid_munged(&init_user_ns, current_uid());
	get_task_comm(ctx->comm, current);
	file->private_data = ctx;
	trace_iommufd_ctx_open(ctx->number, ctx->tgid, ctx->uid, ctx->comm);
	/* number_ctx() reserved the entry: this can't fail. */
	xa_store(&iommufd_contexts, ctx->number, ctx, GFP_KERNEL);
	return 0;
}

/*
 * The last reference to the file is gone. Drivers hold a reference to the file
 * while they use the context, so no ioctl is running and no device is bound.
 */
static int iommufd_fops_release(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ctx = file->private_data;

	iommufd_object_destroy_all(ctx);
	WARN_ON(!xa_empty(&ctx->groups));
	WARN_ON(!list_empty(&ctx->mmaps));
	iommufd_doorbells_free(ctx);
	WARN_ON(atomic_long_read(&ctx->pinned));
	iommufd_process_put(ctx->process);
	xa_erase(&iommufd_contexts, ctx->number);
	trace_iommufd_ctx_close(ctx->number, ctx->tgid, ctx->uid, ctx->comm);
	xa_destroy(&ctx->objects);
	kfree_rcu(ctx, rcu);
	return 0;
}

static long run_command(struct iommufd_ctx *ctx, unsigned int nr,
			unsigned long arg)
{
	unsigned int index = _IOC_NR(nr) - IOMMUFD_CMD_BASE;

	/* VFIO's ioctls have the same type and lower numbers. */
	if (index >= ARRAY_SIZE(commands))
		return iommufd_vfio_ioctl(ctx, nr, arg);
	index = array_index_nospec(index, ARRAY_SIZE(commands));
	return iommufd_command_run(&commands[index], ctx, nr, arg);
}

/* Not inlined, so that only observed requests need stack for it. */
static noinline long run_observed(struct iommufd_ctx *ctx, unsigned int nr,
				  unsigned long arg)
{
	/* iommufd_request_begin() initialises what is used. */
	struct iommufd_request request __uninitialized;

	iommufd_request_begin(&request, ctx->number, nr);
	return iommufd_request_end(&request, run_command(ctx, nr, arg));
}

static long iommufd_fops_ioctl(struct file *file, unsigned int nr,
			       unsigned long arg)
{
	if (trace_iommufd_fail_enabled())
		return run_observed(file->private_data, nr, arg);
	return run_command(file->private_data, nr, arg);
}

static const struct file_operations iommufd_fops = {
	.owner = THIS_MODULE,
	.open = iommufd_fops_open,
	.release = iommufd_fops_release,
	.unlocked_ioctl = iommufd_fops_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = iommufd_fops_mmap,
};

/**
 * iommufd_ctx_get - take a reference to a context
 * @ictx: the context; the caller already has a reference to it
 *
 * Release the reference with iommufd_ctx_put().
 *
 * Context: Any context.
 */
void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
	get_file(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_get, "IOMMUFD");

/**
 * iommufd_ctx_from_file - take a reference to the context of a file
 * @file: an open file
 *
 * Release the reference with iommufd_ctx_put().
 *
 * Context: Any context.
 *
 * Return: The context, or ERR_PTR(-EBADFD) if the file is not one of iommufd.
 */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	struct iommufd_ctx *ctx;

	if (file->f_op != &iommufd_fops)
		return ERR_PTR(-EBADFD);
	ctx = file->private_data;
	iommufd_ctx_get(ctx);
	return ctx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_file, "IOMMUFD");

/**
 * iommufd_ctx_from_fd - take a reference to the context of a file descriptor
 * @fd: a file descriptor of the calling process
 *
 * Release the reference with iommufd_ctx_put().
 *
 * Context: Process context.
 *
 * Return: The context or an ERR_PTR: -EBADF if the descriptor is not open,
 * -EBADFD if it does not refer to a file of iommufd.
 */
struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	CLASS(fd, f)(fd);

	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	return iommufd_ctx_from_file(fd_file(f));
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_fd, "IOMMUFD");

/**
 * iommufd_ctx_put - release a reference to a context
 * @ictx: the context; it may be freed after this
 *
 * Context: Any context.
 */
void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
	fput(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_put, "IOMMUFD");

static struct miscdevice iommufd_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.nodename = "iommu",
	.mode = 0660,
	.fops = &iommufd_fops,
};

/**
 * iommufd_misc_device - get the misc device of /dev/iommu
 *
 * It represents iommufd where a kernel API requires a struct device.
 *
 * Return: The device.
 */
struct device *iommufd_misc_device(void)
{
	return iommufd_misc.this_device;
}

#ifdef CONFIG_PCI
static int __init has_iommu(struct device *dev, void *unused)
{
	return device_iommu_mapped(dev);
}

/* Drivers of IOMMUs are built in, and have found theirs before modules load. */
static void __init check_iommu(void)
{
	if (IS_MODULE(CONFIG_IOMMUFD) &&
	    !bus_for_each_dev(&pci_bus_type, NULL, NULL, has_iommu))
		pr_notice("iommufd: no PCI device has an IOMMU: enable it in the firmware, and boot with intel_iommu=on on Intel\n");
}
#else
static void __init check_iommu(void)
{
}
#endif

static int __init iommufd_init(void)
{
	int ret;

	check_iommu();

	ret = iommufd_pages_init();
	if (ret)
		return ret;
	/* iommufd works without BPF, so don't fail. */
	ret = iommufd_bpf_init();
	if (ret)
		pr_warn("iommufd: no policies and no iterators: BPF says %d\n",
			ret);
	ret = iommufd_mock_init();
	if (ret)
		goto exit_pages;
	ret = misc_register(&iommufd_misc);
	if (ret)
		goto exit_mock;
	ret = iommufd_container_init(&iommufd_fops);
	if (ret)
		goto deregister;
	return 0;

deregister:
	misc_deregister(&iommufd_misc);
exit_mock:
	iommufd_mock_exit();
exit_pages:
	iommufd_pages_exit();
	return ret;
}
module_init(iommufd_init);

static void __exit iommufd_exit(void)
{
	iommufd_container_exit();
	misc_deregister(&iommufd_misc);
	iommufd_mock_exit();
	iommufd_owner_exit();
	iommufd_pages_exit();
}
module_exit(iommufd_exit);

MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("IOMMUFD");
MODULE_IMPORT_NS("IOMMUFD_INTERNAL");
MODULE_DESCRIPTION("I/O page tables for user space, instrumented");
MODULE_LICENSE("GPL");
