/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_TRACE_FAIL_H
#define __IOMMUFD_TRACE_FAIL_H

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/list.h>

#include "trace/trace.h"

struct iommufd_bucket;
struct task_struct;

/*
 * Why a request of user space failed. The code that detects the failure calls
 * iommufd_fail() with the reason. When the request ends with an error, it
 * reports the reason once: the last one that was recorded, if it was recorded
 * with the errno that the user gets.
 *
 * While the tracepoint iommufd_fail is disabled, all of this is a static branch
 * that is not taken.
 */

/**
 * struct iommufd_request - a running request of user space
 * @bucket: its place in the table of requests by task, or NULL if the tracepoint
 *	is disabled or the request is part of another one
 * @node: link in @bucket, if that has several requests
 * @task: task that makes the request, if it is linked in @bucket
 * @ctx: number of the context
 * @command: number of the ioctl, or enum iommufd_file_request
 * @reason: the reason that was recorded last
 * @error: the negative errno that was recorded with @reason
 * @numbers: the numbers that explain @reason
 * @policy: name of the policy that refused the request, else empty
 */
struct iommufd_request {
	struct iommufd_bucket *bucket;
	struct hlist_node node;
	struct task_struct *task;
	u32 ctx;
	u32 command;
	enum iommufd_reason reason;
	int error;
	u64 numbers[2];
	char policy[IOMMUFD_POLICY_NAME_LEN];
};

void __iommufd_request_begin(struct iommufd_request *request,
			     u32 ctx, u32 command);
void __iommufd_request_end(struct iommufd_request *request, int error);

/**
 * iommufd_request_begin - begin a request of user space
 * @request: the request; the same task must call iommufd_request_end()
 * @ctx: number of its context
 * @command: number of the ioctl, or enum iommufd_file_request
 *
 * Context: Process context. Does not sleep.
 */
static inline void iommufd_request_begin(struct iommufd_request *request,
					 u32 ctx, u32 command)
{
	request->bucket = NULL;
	if (trace_iommufd_fail_enabled())
		__iommufd_request_begin(request, ctx, command);
}

/**
 * iommufd_request_end - end a request of user space
 * @request: the request
 * @ret: the result for the user, a negative errno if the request has failed
 *
 * Context: Process context. Does not sleep.
 *
 * Return: @ret
 */
static inline long iommufd_request_end(struct iommufd_request *request,
				       long ret)
{
	if (request->bucket)
		__iommufd_request_end(request, ret);
	return ret;
}

/*
 * Out of line and cold, so that the success paths need not prepare anything for
 * the failure paths.
 */
int __cold iommufd_fail(int error, enum iommufd_reason reason, u64 first,
			u64 second);
int __cold iommufd_fail_policy(int error, enum iommufd_reason reason, u64 first,
			       u64 second, const char *policy);
int __cold iommufd_fail_driver(int error);
int __cold iommufd_fail_ending(u32 id);
int __cold iommufd_fail_user(const void __user *address, u64 length);
int __cold iommufd_fail_flags(u64 flags, u64 known);
int __cold iommufd_fail_reserved(u64 value);

#endif
