// SPDX-License-Identifier: GPL-2.0-only
/*
 * Brings together who knows why a request fails and who knows which request it
 * is: requests that run are in a table by their task.
 */
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "core/ctx.h"
#include "trace/fail.h"

#define BUCKET_BITS	6

/**
 * struct bucket - some of the requests that run
 * @requests: struct iommufd_request
 */
struct bucket {
	/**
	 * @lock: protects @requests; a leaf, taken with interrupts off. Only
	 * its own task changes a request.
	 */
	spinlock_t lock;
	struct hlist_head requests;
};

static struct bucket buckets[1 << BUCKET_BITS] = {
	[0 ... (1 << BUCKET_BITS) - 1] = {
		.lock = __SPIN_LOCK_UNLOCKED(buckets.lock),
	},
};

static struct bucket *bucket_of(struct task_struct *task)
{
	return &buckets[hash_ptr(task, BUCKET_BITS)];
}

/* The request that the calling task makes, or NULL. */
static struct iommufd_request *find_request(void)
{
	struct bucket *bucket = bucket_of(current);
	struct iommufd_request *request;
	unsigned long flags;

	spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(request, &bucket->requests, node)
		if (request->task == current)
			break;
	spin_unlock_irqrestore(&bucket->lock, flags);
	return request;
}

/**
 * __iommufd_request_begin - a request begins and somebody listens
 * @request: the request
 * @ctx: its context
 * @command: number of the ioctl, or enum iommufd_file_request
 *
 * What a request does by way of functions that others begin requests with is
 * part of it.
 */
void __iommufd_request_begin(struct iommufd_request *request,
			     const struct iommufd_ctx *ctx, u32 command)
{
	struct bucket *bucket = bucket_of(current);

	if (find_request())
		return;
	*request = (struct iommufd_request){
		.task = current,
		.ctx = ctx->number,
		.command = command,
	};
	spin_lock_irq(&bucket->lock);
	hlist_add_head(&request->node, &bucket->requests);
	spin_unlock_irq(&bucket->lock);
}

/* Some need no one to say so. */
static enum iommufd_reason reason_of(int error)
{
	switch (error) {
	case -ENOMEM:
		return IOMMUFD_REASON_NO_MEMORY;
	case -EFAULT:
		return IOMMUFD_REASON_USER_MEMORY;
	case -EINTR:
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
		return IOMMUFD_REASON_INTERRUPTED;
	case -EMFILE:
	case -ENFILE:
		return IOMMUFD_REASON_TOO_MANY_FILES;
	default:
		return IOMMUFD_REASON_NOT_SAID;
	}
}

/**
 * __iommufd_request_end - a request ends that somebody listens to
 * @request: the request
 * @error: negative if it has failed
 */
void __iommufd_request_end(struct iommufd_request *request, int error)
{
	struct bucket *bucket = bucket_of(current);

	spin_lock_irq(&bucket->lock);
	hlist_del(&request->node);
	spin_unlock_irq(&bucket->lock);
	if (error >= 0)
		return;
	if (request->reason == IOMMUFD_REASON_NOT_SAID ||
	    request->error != error) {
		request->reason = reason_of(error);
		request->numbers[0] = 0;
		request->numbers[1] = 0;
		request->policy[0] = '\0';
	}
	trace_iommufd_fail(request->ctx, request->command, request->reason,
			   error, request->numbers[0], request->numbers[1],
			   request->policy);
}

/* Say why, while somebody listens. */
static void tell(int error, enum iommufd_reason reason, u64 first, u64 second,
		 const char *policy)
{
	struct iommufd_request *request = find_request();

	if (!request)
		return;
	request->reason = reason;
	request->error = error;
	request->numbers[0] = first;
	request->numbers[1] = second;
	strscpy_pad(request->policy, policy);
}

/**
 * iommufd_fail - say why the request of the calling task will fail
 * @error: the negative errno that the user will get
 * @reason: why
 * @first: a number that goes with it, see enum iommufd_reason
 * @second: another one
 *
 * Context: any.
 *
 * Returns @error.
 */
int iommufd_fail(int error, enum iommufd_reason reason, u64 first, u64 second)
{
	return iommufd_fail_policy(error, reason, first, second, "");
}

/**
 * iommufd_fail_policy - say that a policy will make the request fail
 * @error: the negative errno that the user will get
 * @reason: why
 * @first: a number that goes with it
 * @second: another one
 * @policy: name of the policy
 *
 * Context: any.
 *
 * Returns @error.
 */
int iommufd_fail_policy(int error, enum iommufd_reason reason, u64 first,
			u64 second, const char *policy)
{
	if (trace_iommufd_fail_enabled())
		tell(error, reason, first, second, policy);
	return error;
}

/**
 * iommufd_fail_driver - the driver of the IOMMU has failed a request
 * @error: the negative errno that it gave
 *
 * Returns @error.
 */
int iommufd_fail_driver(int error)
{
	if (error == -EOPNOTSUPP)
		return iommufd_fail(error, IOMMUFD_REASON_DRIVER_LACKS, 0, 0);
	if (error == -ENOMEM)
		return iommufd_fail(error, IOMMUFD_REASON_NO_MEMORY, 0, 0);
	/* The caller was killed before all was asked of the driver. */
	if (error == -EINTR)
		return iommufd_fail(error, IOMMUFD_REASON_INTERRUPTED, 0, 0);
	return iommufd_fail(error, IOMMUFD_REASON_DRIVER_REFUSED, -error, 0);
}

/**
 * iommufd_fail_user - memory of the user can't be read or written
 * @address: its address
 * @length: bytes
 *
 * Returns -EFAULT.
 */
int iommufd_fail_user(const void __user *address, u64 length)
{
	return iommufd_fail(-EFAULT, IOMMUFD_REASON_USER_MEMORY,
			    (unsigned long)address, length);
}

/**
 * iommufd_fail_flags - a request has flags that are not known
 * @flags: its flags
 * @known: those that are
 *
 * Returns -EOPNOTSUPP.
 */
int iommufd_fail_flags(u64 flags, u64 known)
{
	return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_UNKNOWN_FLAG, flags,
			    known);
}

/**
 * iommufd_fail_reserved - a field that must be zero is not
 * @value: what it is
 *
 * Returns -EOPNOTSUPP.
 */
int iommufd_fail_reserved(u64 value)
{
	return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_RESERVED, value, 0);
}
