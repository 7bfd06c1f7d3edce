// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers that do their DMA in software, mainly those of VFIO's mediated
 * devices, access the memory of an IOAS through an iommufd_access. The
 * kernel-doc of the functions documents the kernel API.
 *
 * A driver may keep pages pinned for any time, but must unpin them when they
 * are unmapped: the unmap calls the driver's unmap callback and waits until the
 * last page is unpinned, in the callback or later.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <uapi/linux/vfio.h>

#include "core/ctx.h"
#include "core/range.h"
#include "ioas/access.h"
#include "ioas/access_pages.h"
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
 * @ictx: the context; the access holds a reference
 * @ops: operations of the driver, which must stay valid until the access is
 *	destroyed. @ops->unmap is called in process context for addresses that
 *	are about to be unmapped, by several tasks at the same time if they
 *	unmap different addresses. It may sleep and unpin pages, but must not
 *	attach, replace, detach or destroy an access. The driver must not hold
 *	any lock that @ops->unmap takes when it calls those functions
 * @data: passed to @ops
 * @id: set to the id of the new object
 *
 * Undo with iommufd_access_destroy().
 *
 * Context: Process context. May sleep.
 *
 * Return: The access, not attached to any IOAS, or ERR_PTR(-ENOMEM).
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
	/* Only the driver may destroy the object, never the user. */
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

/* Get the IOAS for a call of the driver, or NULL if it must not use any. */
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
	/* A waiter is queued before it checks the users under the lock. */
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

/* The driver can't pin pages any more; make it unpin those that it has. */
static void leave_ioas(struct iommufd_access *access,
		       struct iommufd_ioas *ioas)
{
	if (access->ops->unmap)
		access->ops->unmap(access->data, 0, ULONG_MAX);
	wait_event(access->idle, is_idle(access));
	iommufd_ioas_remove_access(ioas, access);
	iommufd_object_undepend(&ioas->obj);
}

/* Move the access to another IOAS, to which it was already added. */
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

/* Enter an IOAS that was looked up, and leave the previous one, if any. */
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
		iommufd_object_depend(access->ctx, &ioas->obj, 1);
	return ret;
}

/* Change the IOAS; on failure the access keeps the previous one, if any. */
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
 * iommufd_access_attach - attach an access to an IOAS
 * @access: the access, not attached
 * @ioas_id: id of the IOAS
 *
 * Context: Process context. May sleep.
 *
 * Return: 0, -EINVAL if the access is already attached, -ENOENT if there is no
 * such IOAS, -EADDRINUSE if the driver pins pages and a mapping is not page
 * aligned, -ENOMEM, or -EINTR if the caller was killed.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_request request;
	int ret;

	iommufd_request_begin(&request, access->ctx->number,
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
 * iommufd_access_replace - attach an access to another IOAS
 * @access: the access, attached
 * @ioas_id: id of the IOAS
 *
 * The driver's unmap callback is called for all addresses and must unpin all
 * pages before it returns. It is not called if the replace fails or if the IOAS
 * is the same.
 *
 * Context: Process context. May sleep.
 *
 * Return: 0 or a negative errno, in which case nothing has changed: -ENOENT
 * also if the access is not attached; for the others see
 * iommufd_access_attach().
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_request request;
	int ret;

	iommufd_request_begin(&request, access->ctx->number,
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
 * iommufd_access_detach - detach an access from its IOAS
 * @access: the access, attached
 *
 * The driver's unmap callback is called for all addresses and must unpin all
 * pages before it returns. Once this function returns, no callback is running
 * and none will be called.
 *
 * Context: Process context. May sleep. Never fails.
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
 * iommufd_access_destroy - undo iommufd_access_create()
 * @access: the access; it is detached if it is still attached, and freed
 *
 * Context: Process context. May sleep. Never fails.
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

static u64 pages_touched(unsigned long iova, unsigned long length)
{
	return length ? PHYS_PFN(iova + length - 1) - PHYS_PFN(iova) + 1 : 0;
}

static int not_attached(const struct iommufd_access *access)
{
	return iommufd_fail(-ENOENT, IOMMUFD_REASON_NOT_ATTACHED,
			    access->obj.id, 0);
}

/* The id of an IOAS, or 0 if an access is not attached to any. */
static u32 ioas_number(const struct iommufd_ioas *ioas)
{
	return ioas ? ioas->obj.id : 0;
}

/**
 * iommufd_access_pin_pages - pin the pages of an IOVA range
 * @access: the access of a driver that sets needs_pin_pages
 * @iova: first address, page aligned
 * @length: bytes
 * @out_pages: set to the pages that the range touches, in order
 * @flags: IOMMUFD_ACCESS_RW_WRITE if the driver will write to them
 *
 * The pages stay pinned and mapped until iommufd_access_unpin_pages(). They are
 * charged to the process or user that mapped them, unless they are already
 * charged because a device or another driver uses them.
 *
 * Context: Process context, including kthreads. May sleep.
 *
 * Return: 0, -ENOENT if the range is not completely mapped or the access is not
 * attached, -EPERM if the mapping does not permit the access that @flags
 * requests, -EINVAL if @length is 0, if @iova is not page aligned, or if the
 * range is not backed by memory, -EOVERFLOW if the range wraps, or the error of
 * pinning: -ENOMEM, -EFAULT.
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
	ret = iommufd_range_last(iova, length, &last);
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
 * iommufd_access_unpin_pages - undo iommufd_access_pin_pages()
 * @access: the access
 * @iova: first address
 * @length: bytes
 *
 * The range must be that of one pin, or of several adjacent ones.
 *
 * Context: Process context, including the driver's unmap callback. May sleep.
 * Never fails.
 */
void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length)
{
	u64 start_ns = iommufd_trace_start(iommufd_access_unpin);
	struct iommufd_ioas *ioas;
	unsigned long last;

	if (WARN_ON(iommufd_range_last(iova, length, &last)))
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
 * iommufd_access_rw - read or write the memory of an IOVA range
 * @access: the access
 * @iova: first address
 * @data: kernel memory to copy to or from
 * @len: bytes
 * @flags: IOMMUFD_ACCESS_RW_WRITE to write to the memory,
 *	IOMMUFD_ACCESS_RW_KTHREAD if the caller is a kthread without an mm: it
 *	borrows the mm of the process that mapped the memory
 *
 * No pages stay pinned. On failure, part of the data may have been copied.
 *
 * Context: Process context. May sleep. The caller must not hold a lock that a
 * page fault on the memory takes.
 *
 * Return: 0, -ENOENT if the range is not completely mapped or the access is not
 * attached, -EPERM if the mapping does not permit the access, -EINVAL if @len
 * is 0 or the range is not backed by memory, -EOVERFLOW if the range wraps, or
 * the error of pinning: -ENOMEM, -EFAULT.
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t len, unsigned int flags)
{
	u64 start_ns = iommufd_trace_start(iommufd_access_rw);
	struct iommufd_ioas *ioas;
	unsigned long last;
	int ret;

	ret = iommufd_range_last(iova, len, &last);
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
