// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers that do their DMA in software, VFIO's mediated devices before all,
 * get at the memory of an IOAS through an access. Its kernel-doc is the kernel
 * API's documentation.
 *
 * A driver keeps pages pinned for as long as it likes, but has to let go of
 * them when they are unmapped: its unmap callback is called and the unmap waits
 * until the last page is unpinned, in the callback or later.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/overflow.h>
#include <uapi/linux/vfio.h>

#include "core/ctx.h"
#include "device/access.h"
#include "ioas/ioas.h"
#include "trace/device_events.h"
#include "trace/fail.h"

static void access_destroy_object(struct iommufd_object *obj)
{
	struct iommufd_access *access =
		container_of(obj, struct iommufd_access, obj);

	WARN_ON(access->ioas);
	mutex_destroy(&access->change_lock);
}

const struct iommufd_object_ops iommufd_access_ops = {
	.destroy = access_destroy_object,
};

/**
 * iommufd_access_create - give a driver access to the memory of a context
 * @ictx: the context, of which a reference is taken
 * @ops: the driver's, which stay until the access is destroyed. @ops->unmap is
 *	called with addresses that are about to be unmapped, from process
 *	context; it may sleep and unpin pages, but not attach, replace, detach
 *	or destroy an access. No lock of the driver that it takes may be held
 *	where those are called
 * @data: passed to @ops
 * @id: set to the id of the new object
 *
 * Ended with iommufd_access_destroy().
 *
 * Context: process context, may sleep.
 *
 * Returns the access, attached to nothing, or ERR_PTR(-ENOMEM).
 */
struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ictx,
		      const struct iommufd_access_ops *ops, void *data, u32 *id)
{
	struct iommufd_access *access;

	access = iommufd_object_alloc(ictx, access, IOMMUFD_OBJ_ACCESS);
	if (IS_ERR(access))
		return access;
	access->ctx = ictx;
	access->ops = ops;
	access->data = data;
	mutex_init(&access->change_lock);
	spin_lock_init(&access->lock);
	init_waitqueue_head(&access->idle);
	/* Only the driver ends it, never the user. */
	refcount_inc(&access->obj.users);
	iommufd_ctx_get(ictx);
	*id = access->obj.id;
	iommufd_object_publish(ictx, &access->obj);
	return access;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_create, "IOMMUFD");

static void set_ioas(struct iommufd_access *access, struct iommufd_ioas *ioas,
		     struct iommufd_ioas *leaving)
{
	spin_lock(&access->lock);
	access->ioas = ioas;
	access->leaving = leaving;
	spin_unlock(&access->lock);
}

/* The IOAS for a call of the driver, NULL if there is none to be used. */
static struct iommufd_ioas *get_ioas(struct iommufd_access *access, bool unpin)
{
	struct iommufd_ioas *ioas;

	spin_lock(&access->lock);
	ioas = access->ioas;
	if (!ioas && unpin)
		ioas = access->leaving;
	if (ioas)
		access->users++;
	spin_unlock(&access->lock);
	return ioas;
}

static void put_ioas(struct iommufd_access *access)
{
	spin_lock(&access->lock);
	/* A waiter has queued before it looks at the users, under the lock. */
	if (!--access->users && waitqueue_active(&access->idle))
		wake_up_all(&access->idle);
	spin_unlock(&access->lock);
}

static bool is_idle(struct iommufd_access *access)
{
	bool idle;

	spin_lock(&access->lock);
	idle = !access->users;
	spin_unlock(&access->lock);
	return idle;
}

/* No call of the driver pins any more: it unpins what it has. */
static void leave_ioas(struct iommufd_access *access,
		       struct iommufd_ioas *ioas)
{
	if (access->ops->unmap)
		access->ops->unmap(access->data, 0, ULONG_MAX);
	wait_event(access->idle, is_idle(access));
	iommufd_ioas_remove_access(ioas, access);
	iommufd_object_drop(&ioas->obj);
}

/* Move from an IOAS to another that has taken the access. */
static int move_ioas(struct iommufd_access *access, struct iommufd_ioas *from,
		     struct iommufd_ioas *to)
{
	int ret;

	set_ioas(access, NULL, from);
	ret = wait_event_killable(access->idle, is_idle(access));
	if (ret) {
		set_ioas(access, from, NULL);
		return ret;
	}
	leave_ioas(access, from);
	set_ioas(access, to, NULL);
	return 0;
}

/* Enter an IOAS that was looked up, and leave the one before, if any. */
static int enter_ioas(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	int ret = iommufd_ioas_add_access(ioas, access);

	if (ret)
		return ret;
	if (access->ioas)
		ret = move_ioas(access, access->ioas, ioas);
	else
		set_ioas(access, ioas, NULL);
	if (ret)
		iommufd_ioas_remove_access(ioas, access);
	else
		iommufd_object_keep(access->ctx, &ioas->obj, 1);
	return ret;
}

/* Leave the IOAS, if any, for another, unless that does not take the access. */
static int change_ioas(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas;
	int ret;

	lockdep_assert_held(&access->change_lock);

	ioas = iommufd_ioas_get(access->ctx, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = ioas == access->ioas ? 0 : enter_ioas(access, ioas);
	iommufd_object_put(access->ctx, &ioas->obj);
	return ret;
}

/**
 * iommufd_access_attach - choose the IOAS that an access reaches
 * @access: the access, attached to nothing
 * @ioas_id: id of the IOAS
 *
 * Context: process context, may sleep.
 *
 * Returns 0, -EINVAL if it is attached already, -ENOENT if there is no such
 * IOAS, -EADDRINUSE if the driver pins pages and something is mapped that is
 * not aligned to them, -ENOMEM, or -EINTR if the caller was killed.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_request request;
	int ret;

	iommufd_request_begin(&request, access->ctx,
			      VFIO_DEVICE_ATTACH_IOMMUFD_PT);
	ret = mutex_lock_killable(&access->change_lock);
	if (ret)
		goto end;
	if (access->ioas)
		ret = iommufd_fail(-EINVAL, IOMMUFD_REASON_ATTACHED,
				   access->obj.id, access->ioas->obj.id);
	else
		ret = change_ioas(access, ioas_id);
	mutex_unlock(&access->change_lock);
end:
	return iommufd_request_end(&request, ret);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_attach, "IOMMUFD");

/**
 * iommufd_access_replace - change the IOAS that an access reaches
 * @access: the access, attached
 * @ioas_id: id of the IOAS
 *
 * The driver's unmap callback is called for all addresses and has to unpin all
 * pages before it returns. It is not if the replace fails, nor if the IOAS is
 * the same.
 *
 * Context: process context, may sleep.
 *
 * Returns 0, -ENOENT if it is not attached, or see iommufd_access_attach(), in
 * which case it stays attached to what it was.
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_request request;
	int ret;

	iommufd_request_begin(&request, access->ctx,
			      VFIO_DEVICE_ATTACH_IOMMUFD_PT);
	ret = mutex_lock_killable(&access->change_lock);
	if (ret)
		goto end;
	if (access->ioas)
		ret = change_ioas(access, ioas_id);
	else
		ret = iommufd_fail(-ENOENT, IOMMUFD_REASON_NOT_ATTACHED,
				   access->obj.id, 0);
	mutex_unlock(&access->change_lock);
end:
	return iommufd_request_end(&request, ret);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_replace, "IOMMUFD");

/**
 * iommufd_access_detach - leave the IOAS
 * @access: the access
 *
 * The driver's unmap callback is called for all addresses and has to unpin all
 * pages before it returns. No callback runs any more afterwards.
 *
 * Context: process context, may sleep. Never fails.
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas;

	mutex_lock(&access->change_lock);
	ioas = access->ioas;
	if (!WARN_ON(!ioas)) {
		set_ioas(access, NULL, ioas);
		wait_event(access->idle, is_idle(access));
		leave_ioas(access, ioas);
		set_ioas(access, NULL, NULL);
	}
	mutex_unlock(&access->change_lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_detach, "IOMMUFD");

/**
 * iommufd_access_destroy - end what iommufd_access_create() began
 * @access: the access, which is detached if it still has to be; gone after this
 *
 * Context: process context, may sleep. Never fails.
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	struct iommufd_ctx *ctx = access->ctx;

	if (access->ioas)
		iommufd_access_detach(access);
	iommufd_object_remove(ctx, &access->obj);
	iommufd_ctx_put(ctx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_destroy, "IOMMUFD");

static int last_address(unsigned long iova, unsigned long length,
			unsigned long *last)
{
	if (!length)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_ZERO_LENGTH, 0, 0);
	if (check_add_overflow(iova, length - 1, last))
		return iommufd_fail(-EOVERFLOW, IOMMUFD_REASON_OVERFLOW, iova,
				    length);
	return 0;
}

static u64 pages_touched(unsigned long iova, unsigned long length)
{
	return length ? PHYS_PFN(iova + length - 1) - PHYS_PFN(iova) + 1 : 0;
}

static int not_attached(const struct iommufd_access *access)
{
	return iommufd_fail(-ENOENT, IOMMUFD_REASON_NOT_ATTACHED,
			    access->obj.id, 0);
}

/* The IOAS that is reached, for tracepoints. */
static u32 ioas_number(const struct iommufd_ioas *ioas)
{
	return ioas ? ioas->obj.id : 0;
}

/**
 * iommufd_access_pin_pages - pin the memory behind addresses
 * @access: the access, of a driver that needs_pin_pages
 * @iova: first address, page aligned
 * @length: bytes
 * @out_pages: set to the pages that the range touches, in their order
 * @flags: IOMMUFD_ACCESS_RW_WRITE if they will be written to
 *
 * The pages stay, and stay mapped, until they are unpinned. They are charged to
 * who mapped them, unless they are already because a device or another driver
 * uses them.
 *
 * Context: process context, may sleep; also a kthread.
 *
 * Returns 0, -ENOENT if not all of the range is mapped or the access is not
 * attached, -EPERM if the mapping does not allow what the flags ask for,
 * -EINVAL if there is nothing to pin, the range does not begin with a page or
 * has no memory behind it, -EOVERFLOW if the range wraps, or what pinning
 * returns: -ENOMEM, -EFAULT.
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags)
{
	u64 start_ns = iommufd_trace_start(iommufd_access_pin);
	int prot = flags & IOMMUFD_ACCESS_RW_WRITE ? IOMMU_WRITE : IOMMU_READ;
	struct iommufd_ioas *ioas;
	unsigned long last;
	int ret;

	if (WARN_ON(!iommufd_access_pins(access)))
		return -EINVAL;
	if (!PAGE_ALIGNED(iova))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_IOVA_ALIGNMENT,
				    iova, PAGE_SIZE);
	ret = last_address(iova, length, &last);
	if (ret)
		return ret;

	ioas = get_ioas(access, false);
	ret = ioas ? iommufd_ioas_pin(ioas, iova, last, prot, out_pages) :
		     not_attached(access);
	trace_iommufd_access_pin(access->ctx->number, access->obj.id,
				 ioas_number(ioas), iova, length,
				 pages_touched(iova, length), flags, ret,
				 iommufd_trace_ns(start_ns));
	if (ioas)
		put_ioas(access);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pin_pages, "IOMMUFD");

/**
 * iommufd_access_unpin_pages - end what iommufd_access_pin_pages() began
 * @access: the access
 * @iova: first address
 * @length: bytes
 *
 * The range is that of one pin, or of several that lie one behind the other.
 *
 * Context: process context, may sleep; also the driver's unmap callback. Never
 * fails.
 */
void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length)
{
	u64 start_ns = iommufd_trace_start(iommufd_access_unpin);
	struct iommufd_ioas *ioas;
	unsigned long last;

	if (WARN_ON(last_address(iova, length, &last)))
		return;
	ioas = get_ioas(access, true);
	if (WARN_ON(!ioas))
		return;
	iommufd_ioas_unpin(ioas, iova, last);
	trace_iommufd_access_unpin(access->ctx->number, access->obj.id,
				   ioas_number(ioas), iova, length,
				   pages_touched(iova, length), 0, 0,
				   iommufd_trace_ns(start_ns));
	put_ioas(access);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_unpin_pages, "IOMMUFD");

/**
 * iommufd_access_rw - read or write the memory behind addresses
 * @access: the access
 * @iova: first address
 * @data: kernel memory to copy to or from
 * @len: bytes
 * @flags: IOMMUFD_ACCESS_RW_WRITE to write to the memory,
 *	IOMMUFD_ACCESS_RW_KTHREAD if the caller is a kthread that has no mm: it
 *	borrows the one of who mapped the memory
 *
 * Nothing stays pinned. The copy may have been done in part on failure.
 *
 * Context: process context, may sleep. No lock may be held that a page fault on
 * the memory takes.
 *
 * Returns 0, -ENOENT if not all of the range is mapped or the access is not
 * attached, -EPERM if the mapping does not allow it, -EINVAL if there is
 * nothing to copy or no memory behind the range, -EOVERFLOW if the range wraps,
 * or what pinning returns: -ENOMEM, -EFAULT.
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t len, unsigned int flags)
{
	u64 start_ns = iommufd_trace_start(iommufd_access_rw);
	struct iommufd_ioas *ioas;
	unsigned long last;
	int ret;

	ret = last_address(iova, len, &last);
	if (ret)
		return ret;

	ioas = get_ioas(access, false);
	ret = ioas ? iommufd_ioas_rw(ioas, iova, data, len, flags) :
		     not_attached(access);
	trace_iommufd_access_rw(access->ctx->number, access->obj.id,
				ioas_number(ioas), iova, len,
				pages_touched(iova, len), flags, ret,
				iommufd_trace_ns(start_ns));
	if (ioas)
		put_ioas(access);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_rw, "IOMMUFD");
