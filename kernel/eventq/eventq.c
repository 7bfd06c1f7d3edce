// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a queue of page faults or of vIOMMU events, which user space
 * reads. Each queue has exactly one file, which keeps the queue and its context
 * alive.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "eventq/eventq.h"

/**
 * iommufd_eventq_init - initialize the common part of a queue
 * @eventq: the queue
 * @ctx: its context
 */
void iommufd_eventq_init(struct iommufd_eventq *eventq, struct iommufd_ctx *ctx)
{
	eventq->ctx = ctx;
	init_waitqueue_head(&eventq->wait);
}

/**
 * iommufd_eventq_publish - publish a queue and install its file
 * @eventq: the queue, complete
 * @ucmd: the request to allocate it
 * @desc: describes the file and where user space gets id and descriptor
 *
 * Context: Process context. May sleep.
 *
 * Return: 0, or a negative errno, in which case the caller must abort the
 * object: -EMFILE or -ENFILE if there are too many open files, -ENOMEM,
 * -EFAULT.
 */
int iommufd_eventq_publish(struct iommufd_eventq *eventq,
			   struct iommufd_ucmd *ucmd,
			   const struct iommufd_eventq_file *desc)
{
	struct file *file;
	int ret;

	/*
	 * The file does not refer to the queue yet, so it can simply be freed.
	 */
	FD_PREPARE(fdf, O_CLOEXEC,
		   anon_inode_getfile(desc->name, desc->fops, NULL, O_RDWR));
	if (fdf.err)
		return fdf.err;

	*desc->out_id = eventq->obj.id;
	*desc->out_fd = fd_prepare_fd(fdf);
	ret = iommufd_ucmd_respond(ucmd, desc->size);
	if (ret)
		return ret;

	if (desc->depends_on)
		iommufd_object_depend(eventq->ctx, desc->depends_on, 1);
	refcount_inc(&eventq->obj.users);
	iommufd_ctx_get(eventq->ctx);
	file = fd_prepare_file(fdf);
	stream_open(file_inode(file), file);
	file->private_data = eventq;
	iommufd_object_publish(eventq->ctx, &eventq->obj);
	fd_publish(fdf);
	return 0;
}

/**
 * iommufd_eventq_close - release what the file of a queue holds
 * @eventq: the queue; it may be freed after this
 */
void iommufd_eventq_close(struct iommufd_eventq *eventq)
{
	struct iommufd_ctx *ctx = eventq->ctx;

	iommufd_object_undepend(&eventq->obj);
	iommufd_ctx_put(ctx);
}
