/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_EVENTQ_EVENTQ_H
#define __IOMMUFD_EVENTQ_EVENTQ_H

#include <linux/wait.h>

#include "core/object.h"

struct file;
struct file_operations;
struct iommufd_ctx;
struct iommufd_ucmd;

/**
 * struct iommufd_eventq - common part of all queues that user space reads
 * @obj: the object; its file depends on it until the file is closed
 * @ctx: its context, to which the file holds a reference
 * @wait: waiters that poll the file
 */
struct iommufd_eventq {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	wait_queue_head_t wait;
};

/**
 * struct iommufd_eventq_file - parameters of iommufd_eventq_publish()
 * @name: name of the file
 * @fops: operations of the file; private_data is the struct iommufd_eventq, or
 *	NULL if the file was never connected to the queue
 * @out_id: set to the id of the object
 * @out_fd: set to the descriptor of the file
 * @size: size of the request's structure, which contains @out_id and @out_fd
 * @depends_on: object that the queue will depend on, looked up by the caller,
 *	or NULL
 */
struct iommufd_eventq_file {
	const char *name;
	const struct file_operations *fops;
	u32 *out_id;
	u32 *out_fd;
	size_t size;
	struct iommufd_object *depends_on;
};

void iommufd_eventq_init(struct iommufd_eventq *eventq,
			 struct iommufd_ctx *ctx);
int iommufd_eventq_publish(struct iommufd_eventq *eventq,
			   struct iommufd_ucmd *ucmd,
			   const struct iommufd_eventq_file *desc);
void iommufd_eventq_close(struct iommufd_eventq *eventq);

#endif
