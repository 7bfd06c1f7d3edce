/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_ACCESS_H
#define __IOMMUFD_IOAS_ACCESS_H

#include <linux/iommufd.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct iommufd_ctx;
struct iommufd_ioas;

/**
 * struct iommufd_access - access of a kernel driver to the memory of an IOAS
 * @obj: the object; it has one extra user until the driver destroys it
 * @ctx: its context, to which this holds a reference
 * @ops: operations of the driver
 * @data: passed to @ops
 * @ioas: the IOAS that it is attached to and depends on, or NULL. Protected by
 *	@lock
 * @leaving: the IOAS that it is leaving, or NULL: pages can still be unpinned
 *	there, but not pinned. Protected by @lock
 * @users: calls of the driver that are using @ioas or @leaving. Protected by
 *	@lock
 * @idle: woken when @users drops to zero
 */
struct iommufd_access {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	const struct iommufd_access_ops *ops;
	void *data;
	/**
	 * @change_lock: serializes attach, replace and detach. Taken before all
	 * locks of an IOAS.
	 */
	struct mutex change_lock;
	/**
	 * @lock: a leaf, held only briefly: a call that pins pages may wait for
	 * page faults and must not block other calls during that time.
	 */
	spinlock_t lock;
	struct iommufd_ioas *ioas;
	struct iommufd_ioas *leaving;
	unsigned int users;
	wait_queue_head_t idle;
};

/* Check if the driver pins pages, so that mappings must be page aligned. */
static inline bool iommufd_access_pins(const struct iommufd_access *access)
{
	return access->ops->needs_pin_pages;
}

extern const struct iommufd_object_ops iommufd_access_ops;

#endif
