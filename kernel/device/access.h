/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DEVICE_ACCESS_H
#define __IOMMUFD_DEVICE_ACCESS_H

#include <linux/iommufd.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct iommufd_ctx;
struct iommufd_ioas;

/**
 * struct iommufd_access - a driver in the kernel that uses memory of an IOAS
 * @obj: the object, which depends on itself until the driver destroys it
 * @ctx: its context, of which this has a reference
 * @ops: the driver's
 * @data: passed to @ops
 * @ioas: what it is attached to and depends on, or NULL. Protected by @lock
 * @leaving: the IOAS that it is about to leave: pages can be unpinned there, no
 *	longer pinned. Protected by @lock
 * @users: calls of the driver that use either. Protected by @lock
 * @idle: for the end of @users
 */
struct iommufd_access {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	const struct iommufd_access_ops *ops;
	void *data;
	/**
	 * @change_lock: one attach, replace or detach at a time. Taken before
	 * all locks of an IOAS.
	 */
	struct mutex change_lock;
	/**
	 * @lock: a leaf. A call that pins pages may wait for page faults, and
	 * holds no lock meanwhile that another call needs.
	 */
	spinlock_t lock;
	struct iommufd_ioas *ioas;
	struct iommufd_ioas *leaving;
	unsigned int users;
	wait_queue_head_t idle;
};

/* Whether the driver pins whole pages. */
static inline bool iommufd_access_pins(const struct iommufd_access *access)
{
	return access->ops->needs_pin_pages;
}

#endif
