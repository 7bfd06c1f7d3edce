// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults of devices that user space handles. If a page table has a fault
 * queue, each group of page requests that a device waits for is added to the
 * queue. User space reads the group and responds to it by its cookie. In any
 * case, each group gets exactly one response.
 */
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/ioctl.h"
#include "domain/handle.h"
#include "eventq/eventq.h"
#include "eventq/fault.h"
#include "trace/fail.h"
#include "trace/guest_events.h"

/* Number of records for which a reader initially allocates memory. */
#define FEW_RECORDS	8

/**
 * struct iommufd_fault - a queue of page faults
 * @obj: the object
 * @eventq: the common part of queues
 * @groups: struct iopf_group by cookie, without a response yet. Its xa_lock
 *	also protects the members below and nests inside all other locks
 * @next_cookie: cookies are allocated cyclically, so that a late response does
 *	not hit another group
 * @unread: the entries of @groups that were not read; the node of the others is
 *	an empty list
 * @closed: the file is closed, so that user space can't read any more
 * @outstanding: number of groups without a response
 * @times: time of the report by cookie, as xa_mk_value() of nanoseconds, for
 *	groups that were reported while a tracepoint was enabled
 */
struct iommufd_fault {
	union {
		struct iommufd_object obj;
		struct iommufd_eventq eventq;
	};
	/**
	 * @answer_lock: held from removing a group from @groups until the
	 * response, so that if no group is left, no response is pending either.
	 * Taken inside the lock of a device's group and before the locks of the
	 * IOMMU core.
	 */
	struct mutex answer_lock;
	struct xarray groups;
	u32 next_cookie;
	struct list_head unread;
	bool closed;
	atomic_t outstanding;
	struct xarray times;
};

static struct iommufd_fault *to_fault(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_fault, obj);
}

static struct iommufd_attach_handle *handle_of(struct iopf_group *group)
{
	return container_of(group->attach_handle, struct iommufd_attach_handle,
			    handle);
}

static void fault_destroy(struct iommufd_object *obj)
{
	struct iommufd_fault *fault = to_fault(obj);

	WARN_ON(!xa_empty(&fault->groups));
	xa_destroy(&fault->groups);
	xa_destroy(&fault->times);
	mutex_destroy(&fault->answer_lock);
}

const struct iommufd_object_ops iommufd_fault_ops = {
	.destroy = fault_destroy,
};

/**
 * iommufd_fault_get - look up a queue for the duration of a call
 * @ctx: the context
 * @id: id of the queue
 *
 * Release the reference to its object with iommufd_object_put().
 *
 * Return: The queue or ERR_PTR(-ENOENT).
 */
struct iommufd_fault *iommufd_fault_get(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ctx, id, IOMMUFD_OBJ_FAULT);
	return IS_ERR(obj) ? ERR_CAST(obj) : to_fault(obj);
}

/**
 * iommufd_fault_object - get the object of a queue
 * @fault: the queue
 *
 * Return: The object. No reference is taken.
 */
struct iommufd_object *iommufd_fault_object(struct iommufd_fault *fault)
{
	return &fault->obj;
}

/**
 * iommufd_fault_outstanding - get the number of groups that wait for a response
 * @obj: the object of the queue
 *
 * Context: Any context. The caller keeps the memory of the queue allocated.
 *
 * Return: The number of groups.
 */
u64 iommufd_fault_outstanding(struct iommufd_object *obj)
{
	return atomic_read(&to_fault(obj)->outstanding);
}

static bool listened_to(void)
{
	return trace_iommufd_fault_report_enabled() ||
	       trace_iommufd_fault_read_enabled() ||
	       trace_iommufd_fault_respond_enabled() ||
	       trace_iommufd_fault_abort_enabled();
}

/* Without memory for the time, the group is not timed. */
static void start_clock(struct iommufd_fault *fault, u32 cookie)
{
	if (listened_to())
		xa_store(&fault->times, cookie,
			 xa_mk_value(ktime_get_ns() & LONG_MAX), GFP_KERNEL);
}

/* Nanoseconds since a group was reported, 0 if it is not timed. */
static u64 waited(struct iommufd_fault *fault, u32 cookie)
{
	void *time = xa_load(&fault->times, cookie);

	return time ? ktime_get_ns() - xa_to_value(time) : 0;
}

/* Send the response and free the group, which the caller has removed. */
static void answer(struct iommufd_fault *fault, struct iopf_group *group,
		   enum iommu_page_response_code code)
{
	lockdep_assert_held(&fault->answer_lock);

	iopf_group_response(group, code);
	atomic_dec(&fault->outstanding);
	xa_erase(&fault->times, group->cookie);
	iopf_free_group(group);
}

static void trace_report(struct iommufd_fault *fault, struct iopf_group *group,
			 int ret)
{
	const struct iommu_fault_page_request *prm;
	u32 pasid = 0;

	if (!trace_iommufd_fault_report_enabled())
		return;
	prm = &list_first_entry(&group->faults, struct iopf_fault, list)->fault.prm;
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID)
		pasid = prm->pasid;
	trace_iommufd_fault_report(fault->eventq.ctx->number, fault->obj.id,
				   group->cookie,
				   READ_ONCE(handle_of(group)->dev_id), pasid,
				   group->fault_count, prm->perm, prm->addr,
				   ret);
}

/**
 * iommufd_fault_report - the iopf_handler of page tables with a fault queue
 * @group: page requests of a device that get one response
 *
 * Context: Process context. May sleep.
 *
 * Return: 0 if the queue has taken over the group and will respond to it and
 * free it, or a negative errno: -ENODEV if the file of the queue is closed,
 * -ENOMEM.
 */
int iommufd_fault_report(struct iopf_group *group)
{
	struct iommufd_fault *fault = handle_of(group)->fault;
	int ret;

	group->cookie = 0;
	ret = xa_alloc_cyclic(&fault->groups, &group->cookie, NULL,
			      XA_LIMIT(1, U32_MAX), &fault->next_cookie,
			      GFP_KERNEL);
	if (ret < 0) {
		trace_report(fault, group, ret);
		return ret;
	}
	/* Do this before user space can respond to the group. */
	start_clock(fault, group->cookie);

	/*
	 * Keep the IOMMU core from responding when the driver stops reporting.
	 */
	iopf_group_dequeue(group);

	xa_lock(&fault->groups);
	ret = fault->closed ? -ENODEV : 0;
	trace_report(fault, group, ret);
	if (ret) {
		__xa_erase(&fault->groups, group->cookie);
	} else {
		/* The cookie is reserved, so this can't fail. */
		__xa_store(&fault->groups, group->cookie, group, GFP_ATOMIC);
		list_add_tail(&group->node, &fault->unread);
		atomic_inc(&fault->outstanding);
		/*
		 * Once this unlocks, the response may be sent and the queue may
		 * be destroyed.
		 */
		wake_up_interruptible(&fault->eventq.wait);
	}
	xa_unlock(&fault->groups);
	/* If the group was refused, no one else knows it. */
	if (ret)
		xa_erase(&fault->times, group->cookie);
	return ret;
}

/*
 * Refuse all groups of an attachment, or of the queue if @handle is NULL,
 * whether they were read or not.
 */
static void refuse(struct iommufd_fault *fault,
		   struct iommufd_attach_handle *handle)
{
	struct iopf_group *group, *next;
	unsigned long cookie;
	LIST_HEAD(groups);

	mutex_lock(&fault->answer_lock);
	xa_lock(&fault->groups);
	xa_for_each(&fault->groups, cookie, group) {
		if (handle && handle_of(group) != handle)
			continue;
		__xa_erase(&fault->groups, cookie);
		list_move_tail(&group->node, &groups);
	}
	xa_unlock(&fault->groups);
	list_for_each_entry_safe(group, next, &groups, node) {
		trace_iommufd_fault_abort(fault->eventq.ctx->number,
					  fault->obj.id, group->cookie,
					  IOMMU_PAGE_RESP_INVALID,
					  waited(fault, group->cookie));
		answer(fault, group, IOMMU_PAGE_RESP_INVALID);
	}
	mutex_unlock(&fault->answer_lock);
}

/**
 * iommufd_fault_flush - refuse the faults of an attachment that has ended
 * @fault: the queue
 * @handle: the attachment; the IOMMU core no longer uses it
 *
 * Waits for responses to its faults that are being sent. Once this returns, the
 * queue no longer refers to @handle.
 *
 * Context: Process context. May sleep.
 */
void iommufd_fault_flush(struct iommufd_fault *fault,
			 struct iommufd_attach_handle *handle)
{
	refuse(fault, handle);
}

static void make_record(struct iommu_hwpt_pgfault *record,
			const struct iommu_fault_page_request *prm,
			struct iopf_group *group)
{
	static_assert(IOMMU_PGFAULT_FLAGS_PASID_VALID ==
		      IOMMU_FAULT_PAGE_REQUEST_PASID_VALID);
	static_assert(IOMMU_PGFAULT_FLAGS_LAST_PAGE ==
		      IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE);
	static_assert(IOMMU_PGFAULT_PERM_READ == IOMMU_FAULT_PERM_READ);
	static_assert(IOMMU_PGFAULT_PERM_WRITE == IOMMU_FAULT_PERM_WRITE);
	static_assert(IOMMU_PGFAULT_PERM_EXEC == IOMMU_FAULT_PERM_EXEC);
	static_assert(IOMMU_PGFAULT_PERM_PRIV == IOMMU_FAULT_PERM_PRIV);

	*record = (struct iommu_hwpt_pgfault){
		.flags = prm->flags & (IOMMU_PGFAULT_FLAGS_PASID_VALID |
				       IOMMU_PGFAULT_FLAGS_LAST_PAGE),
		.dev_id = READ_ONCE(handle_of(group)->dev_id),
		.pasid = prm->pasid,
		.grpid = prm->grpid,
		.perm = prm->perm,
		.addr = prm->addr,
		.cookie = group->cookie,
	};
}

/**
 * struct fault_reader - a buffer for one group to be copied to the user
 * @records: the records of the group
 * @room: allocated number of records
 * @n: number of records of the group
 * @cookie: cookie of the group
 */
struct fault_reader {
	struct iommu_hwpt_pgfault *records;
	size_t room;
	size_t n;
	u32 cookie;
};

static int make_room(struct fault_reader *reader, size_t n)
{
	kvfree(reader->records);
	reader->room = n;
	reader->records = kvmalloc_objs(*reader->records, n,
					GFP_KERNEL_ACCOUNT);
	return reader->records ? 0 : -ENOMEM;
}

/*
 * Copy the first unread group to the reader and mark it as read, if it has at
 * most @max records. Returns -E2BIG if the reader must allocate more memory.
 */
static int take_group(struct iommufd_fault *fault, struct fault_reader *reader,
		      size_t max)
{
	struct iopf_group *group;
	struct iopf_fault *iopf;

	lockdep_assert_held(&fault->groups.xa_lock);

	reader->n = 0;
	group = list_first_entry_or_null(&fault->unread, struct iopf_group,
					 node);
	if (!group)
		return 0;
	if (group->fault_count > max)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_SHORT_BUFFER, max,
				    group->fault_count);
	reader->n = group->fault_count;
	if (reader->n > reader->room)
		return -E2BIG;

	reader->n = 0;
	reader->cookie = group->cookie;
	list_for_each_entry(iopf, &group->faults, list)
		make_record(&reader->records[reader->n++], &iopf->fault.prm,
			    group);
	list_del_init(&group->node);
	return 0;
}

/* Copying a group to the user failed: it is the first one to be read again. */
static void untake_group(struct iommufd_fault *fault, u32 cookie)
{
	struct iopf_group *group;

	xa_lock(&fault->groups);
	group = xa_load(&fault->groups, cookie);
	/* It may have got a response in the meantime. */
	if (group && list_empty(&group->node))
		list_add(&group->node, &fault->unread);
	xa_unlock(&fault->groups);
}

/*
 * Copy a group to the user. No lock is held while copying, as a user could
 * delay that indefinitely. The group may get a response before the copy ends.
 * Returns the number of bytes, or 0 if there is no group.
 */
static ssize_t read_group(struct iommufd_fault *fault,
			  struct fault_reader *reader, char __user *buf,
			  size_t count)
{
	size_t size;
	int ret;

	for (;;) {
		xa_lock(&fault->groups);
		ret = take_group(fault, reader,
				 count / sizeof(*reader->records));
		xa_unlock(&fault->groups);
		if (ret != -E2BIG)
			break;
		ret = make_room(reader, reader->n);
		if (ret)
			break;
	}
	if (ret)
		return ret;
	if (!reader->n)
		return 0;
	size = reader->n * sizeof(*reader->records);
	if (copy_to_user(buf, reader->records, size)) {
		untake_group(fault, reader->cookie);
		return iommufd_fail_user(buf, size);
	}
	trace_iommufd_fault_read(fault->eventq.ctx->number, fault->obj.id,
				 reader->cookie, reader->n,
				 waited(fault, reader->cookie));
	return size;
}

static ssize_t read_groups(struct iommufd_fault *fault, char __user *buf,
			   size_t count)
{
	struct fault_reader reader = {};
	ssize_t done = 0, ret;

	if (count % sizeof(*reader.records))
		return iommufd_fail(-ESPIPE, IOMMUFD_REASON_BAD_LENGTH, count,
				    sizeof(*reader.records));

	ret = make_room(&reader, FEW_RECORDS);
	if (ret)
		return ret;
	do {
		ret = read_group(fault, &reader, buf + done, count - done);
		if (ret > 0)
			done += ret;
	} while (ret > 0);
	kvfree(reader.records);
	/* A buffer that is too small is an error only if nothing was read. */
	return done ?: ret;
}

static ssize_t fault_fops_read(struct file *file, char __user *buf,
			       size_t count, loff_t *ppos)
{
	struct iommufd_fault *fault = file->private_data;
	struct iommufd_request request;

	iommufd_request_begin(&request, fault->eventq.ctx->number,
			      IOMMUFD_REQUEST_FAULT_READ);
	return iommufd_request_end(&request, read_groups(fault, buf, count));
}

static int respond(struct iommufd_fault *fault,
		   const struct iommu_hwpt_page_response *response)
{
	struct iopf_group *group;
	int ret = 0;

	static_assert((int)IOMMUFD_PAGE_RESP_SUCCESS ==
		      (int)IOMMU_PAGE_RESP_SUCCESS);
	static_assert((int)IOMMUFD_PAGE_RESP_INVALID ==
		      (int)IOMMU_PAGE_RESP_INVALID);

	if (response->code != IOMMUFD_PAGE_RESP_SUCCESS &&
	    response->code != IOMMUFD_PAGE_RESP_INVALID)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_UNKNOWN_VALUE,
				    response->code, 0);

	mutex_lock(&fault->answer_lock);
	xa_lock(&fault->groups);
	group = xa_load(&fault->groups, response->cookie);
	/* User space can only respond to groups that it has read. */
	if (group && list_empty(&group->node))
		__xa_erase(&fault->groups, response->cookie);
	else
		ret = iommufd_fail(-EINVAL,
				   group ? IOMMUFD_REASON_NOT_READ_YET :
					   IOMMUFD_REASON_UNKNOWN_COOKIE,
				   response->cookie, 0);
	xa_unlock(&fault->groups);
	if (!ret) {
		trace_iommufd_fault_respond(fault->eventq.ctx->number,
					    fault->obj.id, group->cookie,
					    response->code,
					    waited(fault, group->cookie));
		answer(fault, group, response->code);
	}
	mutex_unlock(&fault->answer_lock);
	return ret;
}

static ssize_t write_responses(struct iommufd_fault *fault,
			       const char __user *buf, size_t count)
{
	struct iommu_hwpt_page_response response;
	ssize_t done = 0;
	int ret = 0;

	if (count % sizeof(response))
		return iommufd_fail(-ESPIPE, IOMMUFD_REASON_BAD_LENGTH, count,
				    sizeof(response));

	while (done < count) {
		ret = copy_from_user(&response, buf + done, sizeof(response)) ?
			      iommufd_fail_user(buf + done, sizeof(response)) :
			      respond(fault, &response);
		if (ret)
			break;
		done += sizeof(response);
	}
	return done ?: ret;
}

static ssize_t fault_fops_write(struct file *file, const char __user *buf,
				size_t count, loff_t *ppos)
{
	struct iommufd_fault *fault = file->private_data;
	struct iommufd_request request;

	iommufd_request_begin(&request, fault->eventq.ctx->number,
			      IOMMUFD_REQUEST_FAULT_WRITE);
	return iommufd_request_end(&request,
				   write_responses(fault, buf, count));
}

static __poll_t fault_fops_poll(struct file *file,
				struct poll_table_struct *wait)
{
	struct iommufd_fault *fault = file->private_data;
	__poll_t events = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &fault->eventq.wait, wait);
	xa_lock(&fault->groups);
	if (!list_empty(&fault->unread))
		events |= EPOLLIN | EPOLLRDNORM;
	xa_unlock(&fault->groups);
	return events;
}

static int fault_fops_release(struct inode *inode, struct file *file)
{
	struct iommufd_fault *fault = file->private_data;

	if (!fault)
		return 0;
	xa_lock(&fault->groups);
	fault->closed = true;
	xa_unlock(&fault->groups);
	refuse(fault, NULL);
	iommufd_eventq_close(&fault->eventq);
	return 0;
}

static const struct file_operations fault_fops = {
	.owner = THIS_MODULE,
	.read = fault_fops_read,
	.write = fault_fops_write,
	.poll = fault_fops_poll,
	.release = fault_fops_release,
};

int iommufd_cmd_fault_queue_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_fault_alloc *cmd = ucmd->cmd;
	const struct iommufd_eventq_file desc = {
		.name = "[iommufd-pgfault]",
		.fops = &fault_fops,
		.out_id = &cmd->out_fault_id,
		.out_fd = &cmd->out_fault_fd,
		.size = sizeof(*cmd),
	};
	struct iommufd_fault *fault;
	int ret;

	if (cmd->flags)
		return iommufd_fail_flags(cmd->flags, 0);

	fault = iommufd_object_alloc(ucmd->ctx, fault, IOMMUFD_OBJ_FAULT);
	if (IS_ERR(fault))
		return PTR_ERR(fault);
	iommufd_eventq_init(&fault->eventq, ucmd->ctx);
	mutex_init(&fault->answer_lock);
	xa_init_flags(&fault->groups, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&fault->unread);
	xa_init(&fault->times);

	ret = iommufd_eventq_publish(&fault->eventq, ucmd, &desc);
	if (ret)
		iommufd_object_abort(ucmd->ctx, &fault->obj);
	return ret;
}
