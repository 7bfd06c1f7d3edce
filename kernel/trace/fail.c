// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connects the code that knows why a request fails with the request: running
 * requests are in a table by task.
 */
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "trace/fail.h"

#define BUCKET_BITS	6

/**
 * struct iommufd_bucket - a bucket of the table of running requests
 * @task: the task that makes the request @first, or NULL. A task takes the
 *	bucket by changing NULL to itself, and clears it when the request ends,
 *	without a lock
 * @first: the request of @task, NULL while it begins or ends. Only @task uses
 *	it
 * @requests: list of struct iommufd_request that began while another task had
 *	taken the bucket, or while this list was not empty
 */
struct iommufd_bucket {
	struct task_struct *task;
	struct iommufd_request *first;
	/**
	 * @lock: protects @requests; a leaf, taken with interrupts disabled. A
	 * request itself is only modified by its task.
	 */
	spinlock_t lock;
	struct hlist_head requests;
} ____cacheline_aligned_in_smp;

static struct iommufd_bucket buckets[1 << BUCKET_BITS] = {
	[0 ... (1 << BUCKET_BITS) - 1] = {
		.lock = __SPIN_LOCK_UNLOCKED(buckets.lock),
	},
};

static struct iommufd_bucket *bucket_of(struct task_struct *task)
{
	return &buckets[hash_ptr(task, BUCKET_BITS)];
}

/* Find the request of the calling task, or NULL. */
static struct iommufd_request *find_request(void)
{
	struct iommufd_bucket *bucket = bucket_of(current);
	struct iommufd_request *request;
	unsigned long flags;

	if (READ_ONCE(bucket->task) == current)
		return READ_ONCE(bucket->first);
	/* A request of this task is added and removed by this task. */
	if (hlist_empty(&bucket->requests))
		return NULL;
	spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(request, &bucket->requests, node)
		if (request->task == current)
			break;
	spin_unlock_irqrestore(&bucket->lock, flags);
	return request;
}

/* The task has a request already, or the bucket has others. */
static noinline void begin_slowly(struct iommufd_bucket *bucket,
				  struct iommufd_request *request, bool taken)
{
	/* So that find_request() looks into the list. @first was not set. */
	if (taken)
		WRITE_ONCE(bucket->task, NULL);
	/* A nested request is part of the outer one. */
	if (find_request())
		return;
	request->bucket = bucket;
	request->task = current;
	spin_lock_irq(&bucket->lock);
	hlist_add_head(&request->node, &bucket->requests);
	spin_unlock_irq(&bucket->lock);
}

/**
 * __iommufd_request_begin - begin a request while iommufd_fail is enabled
 * @request: the request
 * @ctx: number of its context
 * @command: number of the ioctl, or enum iommufd_file_request
 *
 * Does nothing if the task already has a request: nested requests are part of
 * the outer one. Every request uses this path while the event is enabled, so it
 * is kept short.
 *
 * Context: Process context. Does not sleep.
 */
void __iommufd_request_begin(struct iommufd_request *request,
			     u32 ctx, u32 command)
{
	struct iommufd_bucket *bucket = bucket_of(current);
	bool taken = !cmpxchg(&bucket->task, NULL, current);

	request->ctx = ctx;
	request->command = command;
	request->reason = IOMMUFD_REASON_NOT_SAID;
	if (unlikely(!taken || !hlist_empty(&bucket->requests))) {
		begin_slowly(bucket, request, taken);
		return;
	}
	request->bucket = bucket;
	WRITE_ONCE(bucket->first, request);
}

/* The reason of an errno for which iommufd_fail() was not called. */
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

static noinline void __cold report(struct iommufd_request *request, int error)
{
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

static noinline void remove_listed(struct iommufd_request *request)
{
	struct iommufd_bucket *bucket = request->bucket;

	spin_lock_irq(&bucket->lock);
	hlist_del(&request->node);
	spin_unlock_irq(&bucket->lock);
}

/**
 * __iommufd_request_end - end a request of __iommufd_request_begin()
 * @request: the request
 * @error: negative errno if the request has failed
 *
 * Context: Process context. Does not sleep.
 */
void __iommufd_request_end(struct iommufd_request *request, int error)
{
	struct iommufd_bucket *bucket = request->bucket;

	if (likely(READ_ONCE(bucket->first) == request)) {
		WRITE_ONCE(bucket->first, NULL);
		/* The next task may set @first once it has taken the bucket. */
		smp_store_release(&bucket->task, NULL);
	} else {
		remove_listed(request);
	}
	if (error < 0)
		report(request, error);
}

/* Record the reason in the request of the calling task, if it has one. */
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
 * iommufd_fail - record why the request of the calling task fails
 * @error: the negative errno that the user will get
 * @reason: the reason
 * @first: a number that explains @reason, see IOMMUFD_REASONS
 * @second: another number
 *
 * Context: Any context.
 *
 * Return: @error
 */
int iommufd_fail(int error, enum iommufd_reason reason, u64 first, u64 second)
{
	return iommufd_fail_policy(error, reason, first, second, "");
}

/**
 * iommufd_fail_policy - record that a policy makes the request fail
 * @error: the negative errno that the user will get
 * @reason: the reason
 * @first: a number that explains @reason, see IOMMUFD_REASONS
 * @second: another number
 * @policy: name of the policy
 *
 * Context: Any context.
 *
 * Return: @error
 */
int iommufd_fail_policy(int error, enum iommufd_reason reason, u64 first,
			u64 second, const char *policy)
{
	if (trace_iommufd_fail_enabled())
		tell(error, reason, first, second, policy);
	return error;
}

/**
 * iommufd_fail_driver - record that the IOMMU driver has failed a request
 * @error: the negative errno of the driver
 *
 * Context: Any context.
 *
 * Return: @error
 */
int iommufd_fail_driver(int error)
{
	if (error == -EOPNOTSUPP)
		return iommufd_fail(error, IOMMUFD_REASON_DRIVER_LACKS, 0, 0);
	if (error == -ENOMEM)
		return iommufd_fail(error, IOMMUFD_REASON_NO_MEMORY, 0, 0);
	/* The caller was killed before the driver was called for everything. */
	if (error == -EINTR)
		return iommufd_fail(error, IOMMUFD_REASON_INTERRUPTED, 0, 0);
	return iommufd_fail(error, IOMMUFD_REASON_DRIVER_REFUSED, -error, 0);
}

/**
 * iommufd_fail_ending - record that an object is being destroyed
 * @id: id of the object
 *
 * Context: Any context.
 *
 * Return: -ENOENT
 */
int iommufd_fail_ending(u32 id)
{
	return iommufd_fail(-ENOENT, IOMMUFD_REASON_OBJECT_ENDING, id, 0);
}

/**
 * iommufd_fail_user - record that user memory is not accessible
 * @address: user address
 * @length: bytes
 *
 * Context: Any context.
 *
 * Return: -EFAULT
 */
int iommufd_fail_user(const void __user *address, u64 length)
{
	return iommufd_fail(-EFAULT, IOMMUFD_REASON_USER_MEMORY,
			    (unsigned long)address, length);
}

/**
 * iommufd_fail_flags - record that a request has unknown flags
 * @flags: flags of the request
 * @known: known flags
 *
 * Context: Any context.
 *
 * Return: -EOPNOTSUPP
 */
int iommufd_fail_flags(u64 flags, u64 known)
{
	return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_UNKNOWN_FLAG, flags,
			    known);
}

/**
 * iommufd_fail_reserved - record that a field that must be zero is not
 * @value: value of the field
 *
 * Context: Any context.
 *
 * Return: -EOPNOTSUPP
 */
int iommufd_fail_reserved(u64 value)
{
	return iommufd_fail(-EOPNOTSUPP, IOMMUFD_REASON_RESERVED, value, 0);
}
