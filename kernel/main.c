// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommufd gives user space control of I/O page tables. This file implements
 * /dev/iommu, opening and closing its contexts, and the functions with which
 * other drivers refer to a context.
 *
 * docs/architecture.md of the iommufd-bpf project describes the parts of the
 * subsystem and the lock order.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "core/ioctl.h"
#include "core/mmap.h"
#include "core/object.h"
#include "builtin/doorbell.h"
#include "mock/mock.h"
#include "pages/owner.h"
#include "vfio/vfio.h"

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
	xa_erase(&iommufd_contexts, ctx->number);
	trace_iommufd_ctx_close(ctx->number, ctx->tgid, ctx->uid, ctx->comm);
	xa_destroy(&ctx->objects);
	kfree_rcu(ctx, rcu);
	return 0;
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

static int __init iommufd_init(void)
{
	int ret;

	/* iommufd works without BPF, so don't fail. */
	ret = iommufd_bpf_init();
	if (ret)
		pr_warn("iommufd: no policies and no iterators: BPF says %d\n",
			ret);
	ret = iommufd_mock_init();
	if (ret)
		return ret;
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
	return ret;
}
module_init(iommufd_init);

static void __exit iommufd_exit(void)
{
	iommufd_container_exit();
	misc_deregister(&iommufd_misc);
	iommufd_mock_exit();
	iommufd_owner_exit();
}
module_exit(iommufd_exit);

MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("IOMMUFD");
MODULE_IMPORT_NS("IOMMUFD_INTERNAL");
MODULE_DESCRIPTION("I/O page tables for user space, instrumented");
MODULE_LICENSE("GPL");
