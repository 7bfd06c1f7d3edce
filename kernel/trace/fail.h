/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_TRACE_FAIL_H
#define __IOMMUFD_TRACE_FAIL_H

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/list.h>

#include "trace/trace.h"

struct iommufd_ctx;
struct task_struct;

/*
 * Why a request of user space failed. The place that knows says so with
 * iommufd_fail(), wherever it is; the request, which began further up, reports
 * it once, when it is known to fail: what is said last counts, if it is about
 * the errno that the user gets.
 *
 * While nobody listens to iommufd_fail all of this is a static branch not taken.
 */

/**
 * struct iommufd_request - a request of user space, while it runs
 * @node: link in the table of requests by task
 * @task: who makes it, or NULL if nobody listens or it is part of another one
 * @ctx: number of the context
 * @command: number of the ioctl, or enum iommufd_file_request
 * @reason: what was said last
 * @error: the negative errno that this was about
 * @numbers: what goes with @reason
 * @policy: name of the policy that refused it
 */
struct iommufd_request {
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
			     const struct iommufd_ctx *ctx, u32 command);
void __iommufd_request_end(struct iommufd_request *request, int error);

/**
 * iommufd_request_begin - a request of user space begins
 * @request: to be ended with iommufd_request_end() by the same task
 * @ctx: its context
 * @command: number of the ioctl, or enum iommufd_file_request
 */
static inline void iommufd_request_begin(struct iommufd_request *request,
					 const struct iommufd_ctx *ctx,
					 u32 command)
{
	request->task = NULL;
	if (trace_iommufd_fail_enabled())
		__iommufd_request_begin(request, ctx, command);
}

/**
 * iommufd_request_end - a request of user space ends
 * @request: the request
 * @ret: what the user gets, a negative errno if it has failed
 *
 * Returns @ret.
 */
static inline long iommufd_request_end(struct iommufd_request *request,
				       long ret)
{
	if (request->task)
		__iommufd_request_end(request, ret);
	return ret;
}

/*
 * Out of line, and cold: the ways that requests take when they succeed are not
 * to keep anything ready for those on which they fail.
 */
int __cold iommufd_fail(int error, enum iommufd_reason reason, u64 first,
			u64 second);
int __cold iommufd_fail_policy(int error, enum iommufd_reason reason, u64 first,
			       u64 second, const char *policy);
int __cold iommufd_fail_driver(int error);
int __cold iommufd_fail_user(const void __user *address, u64 length);
int __cold iommufd_fail_flags(u64 flags, u64 known);
int __cold iommufd_fail_reserved(u64 value);

#endif
