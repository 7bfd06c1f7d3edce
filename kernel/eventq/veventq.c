// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues of events that a vIOMMU reports to the guest, one queue for each type.
 * Events that arrive while a queue is full are lost. The user notices by a gap
 * in the sequence numbers, or by a final record without data.
 *
 * Drivers add events in builtin/viommu.c; this file is the user's side.
 */
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/driver_core.h"
#include "core/ioctl.h"
#include "eventq/veventq.h"
#include "trace/fail.h"

/* Limits the memory for unread events, each of which is small. */
#define MAX_DEPTH	BIT(19)

static struct iommufd_veventq *to_veventq(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_veventq, obj);
}

static void free_events(struct iommufd_veventq *veventq)
{
	struct iommufd_vevent *event, *next;
	LIST_HEAD(events);

	spin_lock_irq(&veventq->lock);
	list_splice_init(&veventq->events, &events);
	spin_unlock_irq(&veventq->lock);
	list_for_each_entry_safe(event, next, &events, node) {
		kfree(event);
		cond_resched();
	}
}

static int link(struct iommufd_veventq *veventq)
{
	struct iommufd_viommu *viommu = veventq->viommu;
	struct iommufd_veventq *each;
	int ret = 0;

	down_write(&viommu->veventqs_rwsem);
	list_for_each_entry(each, &viommu->veventqs, node)
		if (each->type == veventq->type)
			ret = iommufd_fail(-EEXIST, IOMMUFD_REASON_DUPLICATE,
					   veventq->type, 0);
	if (!ret)
		list_add_rcu(&veventq->node, &viommu->veventqs);
	up_write(&viommu->veventqs_rwsem);
	return ret;
}

/* Once this returns, drivers add no more events. */
static void unlink(struct iommufd_veventq *veventq)
{
	struct iommufd_viommu *viommu = veventq->viommu;

	down_write(&viommu->veventqs_rwsem);
	list_del_rcu(&veventq->node);
	up_write(&viommu->veventqs_rwsem);
	synchronize_rcu();
}

static void veventq_destroy(struct iommufd_object *obj)
{
	struct iommufd_veventq *veventq = to_veventq(obj);

	unlink(veventq);
	free_events(veventq);
	iommufd_object_undepend(&veventq->viommu->obj);
}

const struct iommufd_object_ops iommufd_veventq_ops = {
	.destroy = veventq_destroy,
};

/**
 * struct taken - a record to be copied to the user
 * @header: the header
 * @event: the event with the data, or NULL if there is only a header
 */
struct taken {
	struct iommufd_vevent_header header;
	struct iommufd_vevent *event;
};

/* Returns the size of the record, 0 if there is none, or -EINVAL. */
static ssize_t take(struct iommufd_veventq *veventq, struct taken *taken,
		    size_t max)
{
	size_t size = sizeof(taken->header);
	struct iommufd_vevent *event;

	lockdep_assert_held(&veventq->lock);

	event = list_first_entry_or_null(&veventq->events,
					 struct iommufd_vevent, node);
	if (!event && !veventq->lost)
		return 0;
	if (event)
		size += event->length;
	if (size > max)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_SHORT_BUFFER, max,
				    size);

	taken->event = event;
	if (event) {
		taken->header = event->header;
		list_del(&event->node);
	} else {
		taken->header = (struct iommufd_vevent_header){
			.flags = IOMMU_VEVENTQ_FLAG_LOST_EVENTS,
			.sequence = (veventq->next_sequence - 1) & INT_MAX,
		};
		veventq->lost = false;
	}
	return size;
}

/* Copying a record to the user failed: it is the first to be read again. */
static void untake(struct iommufd_veventq *veventq, const struct taken *taken)
{
	u32 following = (taken->header.sequence + 1) & INT_MAX;

	spin_lock_irq(&veventq->lock);
	if (taken->event)
		list_add(&taken->event->node, &veventq->events);
	else if (following == veventq->next_sequence)
		veventq->lost = true;
	spin_unlock_irq(&veventq->lock);
}

static int copy(char __user *buf, const struct taken *taken)
{
	const struct iommufd_vevent *event = taken->event;

	if (copy_to_user(buf, &taken->header, sizeof(taken->header)))
		return -EFAULT;
	buf += sizeof(taken->header);
	if (event && copy_to_user(buf, event->data, event->length))
		return -EFAULT;
	return 0;
}

/* The record belongs to this reader, so no lock is held while copying it. */
static ssize_t read_one(struct iommufd_veventq *veventq, char __user *buf,
			size_t count)
{
	struct taken taken;
	ssize_t size;

	spin_lock_irq(&veventq->lock);
	size = take(veventq, &taken, count);
	spin_unlock_irq(&veventq->lock);
	if (size <= 0)
		return size;

	if (copy(buf, &taken)) {
		untake(veventq, &taken);
		return iommufd_fail_user(buf, size);
	}
	if (taken.event) {
		spin_lock_irq(&veventq->lock);
		veventq->nr_events--;
		spin_unlock_irq(&veventq->lock);
		kfree(taken.event);
	}
	return size;
}

static ssize_t read_all(struct iommufd_veventq *veventq, char __user *buf,
			size_t count)
{
	ssize_t done = 0, ret;

	if (count < sizeof(struct iommufd_vevent_header))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_SHORT_BUFFER, count,
				    sizeof(struct iommufd_vevent_header));

	do {
		ret = read_one(veventq, buf + done, count - done);
		if (ret > 0)
			done += ret;
	} while (ret > 0);
	/* A buffer that is too small is an error only if nothing was read. */
	return done ?: ret;
}

static ssize_t veventq_fops_read(struct file *file, char __user *buf,
				 size_t count, loff_t *ppos)
{
	struct iommufd_veventq *veventq = file->private_data;
	struct iommufd_request request;

	iommufd_request_begin(&request, veventq->eventq.ctx->number,
			      IOMMUFD_REQUEST_VEVENT_READ);
	return iommufd_request_end(&request, read_all(veventq, buf, count));
}

static __poll_t veventq_fops_poll(struct file *file,
				  struct poll_table_struct *wait)
{
	struct iommufd_veventq *veventq = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &veventq->eventq.wait, wait);
	spin_lock_irq(&veventq->lock);
	if (!list_empty(&veventq->events) || veventq->lost)
		events = EPOLLIN | EPOLLRDNORM;
	spin_unlock_irq(&veventq->lock);
	return events;
}

static int veventq_fops_release(struct inode *inode, struct file *file)
{
	struct iommufd_veventq *veventq = file->private_data;

	if (!veventq)
		return 0;
	spin_lock_irq(&veventq->lock);
	veventq->closed = true;
	spin_unlock_irq(&veventq->lock);
	free_events(veventq);
	iommufd_eventq_close(&veventq->eventq);
	return 0;
}

static const struct file_operations veventq_fops = {
	.owner = THIS_MODULE,
	.read = veventq_fops_read,
	.poll = veventq_fops_poll,
	.release = veventq_fops_release,
};

static int set_up(struct iommufd_veventq *veventq, struct iommufd_ucmd *ucmd)
{
	struct iommu_veventq_alloc *cmd = ucmd->cmd;
	const struct iommufd_eventq_file desc = {
		.name = "[iommufd-viommu-event]",
		.fops = &veventq_fops,
		.out_id = &cmd->out_veventq_id,
		.out_fd = &cmd->out_veventq_fd,
		.size = sizeof(*cmd),
		.depends_on = &veventq->viommu->obj,
	};
	int ret;

	ret = link(veventq);
	if (ret)
		return ret;
	ret = iommufd_eventq_publish(&veventq->eventq, ucmd, &desc);
	if (ret) {
		unlink(veventq);
		free_events(veventq);
	}
	return ret;
}

static int alloc_veventq(struct iommufd_ucmd *ucmd,
			 struct iommufd_viommu *viommu)
{
	struct iommu_veventq_alloc *cmd = ucmd->cmd;
	struct iommufd_veventq *veventq;
	int ret;

	veventq = iommufd_object_alloc(ucmd->ctx, veventq,
				       IOMMUFD_OBJ_VEVENTQ);
	if (IS_ERR(veventq))
		return PTR_ERR(veventq);
	iommufd_eventq_init(&veventq->eventq, ucmd->ctx);
	veventq->viommu = viommu;
	veventq->type = cmd->type;
	veventq->depth = cmd->veventq_depth;
	spin_lock_init(&veventq->lock);
	INIT_LIST_HEAD(&veventq->events);
	ret = set_up(veventq, ucmd);
	if (ret)
		iommufd_object_abort(ucmd->ctx, &veventq->obj);
	return ret;
}

int iommufd_cmd_veventq_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_veventq_alloc *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	int ret;

	if (cmd->flags)
		return iommufd_fail_flags(cmd->flags, 0);
	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);
	if (cmd->type == IOMMU_VEVENTQ_TYPE_DEFAULT)
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_UNKNOWN_VALUE,
				    cmd->type, 0);
	if (!cmd->veventq_depth || cmd->veventq_depth > MAX_DEPTH)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_OUT_OF_RANGE,
				    cmd->veventq_depth, MAX_DEPTH);

	if (!iommufd_driver_core_is_ours())
		return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_EXTERNAL_MODULE,
				    0, 0);

	obj = iommufd_object_get(ucmd->ctx, cmd->viommu_id, IOMMUFD_OBJ_VIOMMU);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = alloc_veventq(ucmd, container_of(obj, struct iommufd_viommu, obj));
	iommufd_object_put(ucmd->ctx, obj);
	return ret;
}
