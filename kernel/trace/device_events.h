/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of devices, page tables and drivers in the kernel. The rules are
 * in trace/events.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_DEVICE_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_DEVICE_EVENTS_H

#include <linux/iommufd.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "trace/reason.h"

/**
 * DOC: Devices
 *
 * These events report what drivers (VFIO) do with a device. An unbind or a
 * detach happens in the task that closes the device last, which need not be the
 * one that opened it.
 */

DECLARE_EVENT_CLASS(iommufd_device_bound,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, ret, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, id)
		__array(char, device, IOMMUFD_DEVICE_NAME_LEN)
		__field(u32, group)
		__field(s32, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->id = id;
		strscpy_pad(__entry->device, device, IOMMUFD_DEVICE_NAME_LEN);
		__entry->group = group;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u id=%u device=%s group=%u ret=%d ns=%llu",
		  __entry->ctx, __entry->id, __entry->device, __entry->group,
		  __entry->ret, __entry->ns)
);

/**
 * iommufd_device_bind - a driver bound a device to a context, or failed to
 * @ctx: [number] the context
 * @id: [object id] the device, 0 if it failed
 * @device: [text] name of the device, as in ``/sys/bus/pci/devices``; truncated
 *	to 31 bytes
 * @group: [number] its IOMMU group, as in ``/sys/kernel/iommu_groups``; also 0
 *	if it has no group
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own.
 */
DEFINE_EVENT(iommufd_device_bound, iommufd_device_bind,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, ret, ns));

/**
 * iommufd_device_unbind - a driver unbound a device
 * @ctx: [number] the context
 * @id: [object id] the former id of the device
 * @device: [text] name of the device, as in ``/sys/bus/pci/devices``; truncated
 *	to 31 bytes
 * @group: [number] its IOMMU group, as in ``/sys/kernel/iommu_groups``; also 0
 *	if it has no group
 * @ret: [errno] 0
 * @ns: [ns] duration
 *
 * This never fails.
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own.
 */
DEFINE_EVENT(iommufd_device_bound, iommufd_device_unbind,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, ret, ns));

DECLARE_EVENT_CLASS(iommufd_device_attached,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, u32 pasid,
		 u32 target, u32 hwpt, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, pasid, target, hwpt, ret, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, id)
		__array(char, device, IOMMUFD_DEVICE_NAME_LEN)
		__field(u32, group)
		__field(u32, pasid)
		__field(u32, target)
		__field(u32, hwpt)
		__field(s32, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->id = id;
		strscpy_pad(__entry->device, device, IOMMUFD_DEVICE_NAME_LEN);
		__entry->group = group;
		__entry->pasid = pasid;
		__entry->target = target;
		__entry->hwpt = hwpt;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u id=%u device=%s group=%u pasid=%u target=%u hwpt=%u ret=%d ns=%llu",
		  __entry->ctx, __entry->id, __entry->device, __entry->group,
		  __entry->pasid, __entry->target, __entry->hwpt, __entry->ret,
		  __entry->ns)
);

/**
 * iommufd_device_attach - a device was attached to a page table, or the attach
 * failed
 * @ctx: [number] the context
 * @id: [object id] the device
 * @device: [text] name of the device, as in ``/sys/bus/pci/devices``; truncated
 *	to 31 bytes
 * @group: [number] its IOMMU group, as in ``/sys/kernel/iommu_groups``; also 0
 *	if it has no group
 * @pasid: [PASID] address space of the device; 0 for the device itself
 * @target: [object id] the requested target: an IOAS or a page table
 * @hwpt: [object id] the page table it is attached to, 0 if the request failed
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own.
 */
DEFINE_EVENT(iommufd_device_attached, iommufd_device_attach,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, u32 pasid,
		 u32 target, u32 hwpt, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, pasid, target, hwpt, ret, ns));

/**
 * iommufd_device_replace - a device was moved to another page table without a
 * gap, or the replace failed
 * @ctx: [number] the context
 * @id: [object id] the device
 * @device: [text] name of the device, as in ``/sys/bus/pci/devices``; truncated
 *	to 31 bytes
 * @group: [number] its IOMMU group, as in ``/sys/kernel/iommu_groups``; also 0
 *	if it has no group
 * @pasid: [PASID] address space of the device; 0 for the device itself
 * @target: [object id] the requested target: an IOAS or a page table
 * @hwpt: [object id] the page table it is attached to, 0 if the request failed
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * The other devices of its group move with it, without events of their own.
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own.
 */
DEFINE_EVENT(iommufd_device_attached, iommufd_device_replace,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, u32 pasid,
		 u32 target, u32 hwpt, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, pasid, target, hwpt, ret, ns));

/**
 * iommufd_device_detach - a device was detached
 * @ctx: [number] the context
 * @id: [object id] the device
 * @device: [text] name of the device, as in ``/sys/bus/pci/devices``; truncated
 *	to 31 bytes
 * @group: [number] its IOMMU group, as in ``/sys/kernel/iommu_groups``; also 0
 *	if it has no group
 * @pasid: [PASID] address space of the device; 0 for the device itself
 * @target: [object id] the IOAS it was attached to
 * @hwpt: [object id] the page table it was attached to, which may no longer
 *	exist
 * @ret: [errno] 0
 * @ns: [ns] duration
 *
 * There is no event for a device that is not attached.
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own.
 */
DEFINE_EVENT(iommufd_device_attached, iommufd_device_detach,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, u32 pasid,
		 u32 target, u32 hwpt, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, pasid, target, hwpt, ret, ns));

/**
 * DOC: Page tables
 */

/**
 * iommufd_hwpt_alloc - a page table was created, or its creation failed
 * @ctx: [number] the context
 * @hwpt: [object id] the page table, 0 if the request failed
 * @parent: [object id] its parent: an IOAS, a second stage or a vIOMMU
 * @device: [object id] the device that it was created for
 * @kind: [enum] ``enum iommufd_object_type``: 2 ``hwpt_paging``, which mirrors
 *	an IOAS; 3 ``hwpt_nested``, which user space manages
 * @automatic: [0 or 1] 1 if it was created for an attach
 * @flags: [flags] ``enum iommufd_hwpt_alloc_flags``, including those added by a
 *	policy
 * @data_type: [enum] ``enum iommu_hwpt_data_type``
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * This is for a request that named an existing device and an existing parent,
 * or for an attach to an IOAS that has no compatible page table. If that attach
 * fails, the page table is freed again, without an ``iommufd_object_create``.
 *
 * Context: Process context. For a request, no lock is held, and the page table
 * cannot be found before this event. For an attach, the lock under which the
 * page table is chosen is held, and locks of the driver may be held.
 */
TRACE_EVENT(iommufd_hwpt_alloc,
	TP_PROTO(u32 ctx, u32 hwpt, u32 parent, u32 device, u32 kind,
		 u32 automatic, u32 flags, u32 data_type, int ret, u64 ns),
	TP_ARGS(ctx, hwpt, parent, device, kind, automatic, flags, data_type,
		ret, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, hwpt)
		__field(u32, parent)
		__field(u32, device)
		__field(u32, kind)
		__field(u32, automatic)
		__field(u32, flags)
		__field(u32, data_type)
		__field(s32, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->hwpt = hwpt;
		__entry->parent = parent;
		__entry->device = device;
		__entry->kind = kind;
		__entry->automatic = automatic;
		__entry->flags = flags;
		__entry->data_type = data_type;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u hwpt=%u parent=%u device=%u kind=%u automatic=%u flags=0x%x data_type=0x%x ret=%d ns=%llu",
		  __entry->ctx, __entry->hwpt, __entry->parent, __entry->device,
		  __entry->kind, __entry->automatic, __entry->flags,
		  __entry->data_type, __entry->ret, __entry->ns)
);

/**
 * iommufd_hwpt_free - a page table was freed, and with it everything it mapped
 * @ctx: [number] the context
 * @hwpt: [object id] the former id of the page table
 * @kind: [enum] ``enum iommufd_object_type``: 2 ``hwpt_paging``, which mirrors
 *	an IOAS; 3 ``hwpt_nested``, which user space manages
 * @automatic: [0 or 1] 1 if it was created for an attach
 * @ns: [ns] duration
 *
 * There is one event for each ``iommufd_hwpt_alloc`` that succeeded.
 *
 * Context: Process context. Locks may be held.
 */
TRACE_EVENT(iommufd_hwpt_free,
	TP_PROTO(u32 ctx, u32 hwpt, u32 kind, u32 automatic, u64 ns),
	TP_ARGS(ctx, hwpt, kind, automatic, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, hwpt)
		__field(u32, kind)
		__field(u32, automatic)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->hwpt = hwpt;
		__entry->kind = kind;
		__entry->automatic = automatic;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u hwpt=%u kind=%u automatic=%u ns=%llu",
		  __entry->ctx, __entry->hwpt, __entry->kind,
		  __entry->automatic, __entry->ns)
);

/**
 * iommufd_hwpt_invalidate - IOMMU caches of a guest's page table were
 * invalidated
 * @ctx: [number] the context
 * @object: [object id] a page table of kind ``hwpt_nested``, or a vIOMMU
 * @kind: [enum] ``enum iommufd_object_type`` of the object: 3 ``hwpt_nested``,
 *	7 ``viommu``
 * @data_type: [enum] ``enum iommu_hwpt_invalidate_data_type``
 * @entry_len: [bytes] size of an entry
 * @asked: [count] entries in the request
 * @handled: [count] entries that were handled; if the request failed, those
 *	before the one that is wrong
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * There is one event for each request that named an existing object, including
 * failed ones.
 *
 * Context: Process context. No lock is held.
 */
TRACE_EVENT(iommufd_hwpt_invalidate,
	TP_PROTO(u32 ctx, u32 object, u32 kind, u32 data_type, u32 entry_len,
		 u32 asked, u32 handled, int ret, u64 ns),
	TP_ARGS(ctx, object, kind, data_type, entry_len, asked, handled, ret, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, object)
		__field(u32, kind)
		__field(u32, data_type)
		__field(u32, entry_len)
		__field(u32, asked)
		__field(u32, handled)
		__field(s32, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->object = object;
		__entry->kind = kind;
		__entry->data_type = data_type;
		__entry->entry_len = entry_len;
		__entry->asked = asked;
		__entry->handled = handled;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u object=%u kind=%u data_type=0x%x entry_len=%u asked=%u handled=%u ret=%d ns=%llu",
		  __entry->ctx, __entry->object, __entry->kind,
		  __entry->data_type, __entry->entry_len, __entry->asked,
		  __entry->handled, __entry->ret, __entry->ns)
);

/**
 * iommufd_dirty_read - the dirty marks of pages that devices wrote to were read
 * @ctx: [number] the context
 * @hwpt: [object id] the page table
 * @iova: [address] first address requested
 * @length: [bytes] requested length
 * @page_size: [bytes] size of the page that one bit of the bitmap stands for
 * @dirty: [pages] bits that were set in the bitmap, pages of ``page_size``.
 *	18446744073709551615 if they are not known: iommufd is an external module
 *	for a kernel whose own part of iommufd writes the bitmap
 * @flags: [flags] ``enum iommufd_hwpt_get_dirty_bitmap_flags``: 1 if the marks
 *	were not cleared
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * There is one event for each request that named a page table with dirty
 * tracking, including failed ones.
 *
 * Context: Process context. No lock is held.
 */
TRACE_EVENT(iommufd_dirty_read,
	TP_PROTO(u32 ctx, u32 hwpt, u64 iova, u64 length, u64 page_size,
		 u64 dirty, u32 flags, int ret, u64 ns),
	TP_ARGS(ctx, hwpt, iova, length, page_size, dirty, flags, ret, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, hwpt)
		__field(u64, iova)
		__field(u64, length)
		__field(u64, page_size)
		__field(u64, dirty)
		__field(u32, flags)
		__field(s32, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->hwpt = hwpt;
		__entry->iova = iova;
		__entry->length = length;
		__entry->page_size = page_size;
		__entry->dirty = dirty;
		__entry->flags = flags;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u hwpt=%u iova=0x%llx length=%llu page_size=%llu dirty=%llu flags=0x%x ret=%d ns=%llu",
		  __entry->ctx, __entry->hwpt, __entry->iova, __entry->length,
		  __entry->page_size, __entry->dirty, __entry->flags,
		  __entry->ret, __entry->ns)
);

/**
 * DOC: Drivers in the kernel
 *
 * These events report what drivers that do their DMA in software (mediated
 * devices) do through an access. No event fires for a range that is empty or
 * wraps, nor for a pin that does not begin at a page boundary.
 */

DECLARE_EVENT_CLASS(iommufd_access_used,
	TP_PROTO(u32 ctx, u32 access, u32 ioas, u64 iova, u64 length, u64 pages,
		 u32 flags, int ret, u64 ns),
	TP_ARGS(ctx, access, ioas, iova, length, pages, flags, ret, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, access)
		__field(u32, ioas)
		__field(u64, iova)
		__field(u64, length)
		__field(u64, pages)
		__field(u32, flags)
		__field(s32, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->access = access;
		__entry->ioas = ioas;
		__entry->iova = iova;
		__entry->length = length;
		__entry->pages = pages;
		__entry->flags = flags;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u access=%u ioas=%u iova=0x%llx length=%llu pages=%llu flags=0x%x ret=%d ns=%llu",
		  __entry->ctx, __entry->access, __entry->ioas, __entry->iova,
		  __entry->length, __entry->pages, __entry->flags, __entry->ret,
		  __entry->ns)
);

/**
 * iommufd_access_pin - a driver pinned pages, or failed to
 * @ctx: [number] the context
 * @access: [object id] the access
 * @ioas: [object id] the IOAS, 0 if the access is not attached
 * @iova: [address] first address
 * @length: [bytes] length
 * @pages: [pages] pages that the range touches
 * @flags: [flags] 1 the driver writes, 2 it is a kernel thread, 4 through
 *	pinned pages (tests only)
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own.
 */
DEFINE_EVENT(iommufd_access_used, iommufd_access_pin,
	TP_PROTO(u32 ctx, u32 access, u32 ioas, u64 iova, u64 length, u64 pages,
		 u32 flags, int ret, u64 ns),
	TP_ARGS(ctx, access, ioas, iova, length, pages, flags, ret, ns));

/**
 * iommufd_access_rw - a driver read or wrote memory with the CPU, or failed to
 * @ctx: [number] the context
 * @access: [object id] the access
 * @ioas: [object id] the IOAS, 0 if the access is not attached
 * @iova: [address] first address
 * @length: [bytes] length
 * @pages: [pages] pages that the range touches
 * @flags: [flags] 1 the driver writes, 2 it is a kernel thread, 4 through
 *	pinned pages (tests only)
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own.
 */
DEFINE_EVENT(iommufd_access_used, iommufd_access_rw,
	TP_PROTO(u32 ctx, u32 access, u32 ioas, u64 iova, u64 length, u64 pages,
		 u32 flags, int ret, u64 ns),
	TP_ARGS(ctx, access, ioas, iova, length, pages, flags, ret, ns));

/**
 * iommufd_access_unpin - a driver unpinned pages
 * @ctx: [number] the context
 * @access: [object id] the access
 * @ioas: [object id] the IOAS, 0 if the access is not attached
 * @iova: [address] first address
 * @length: [bytes] length
 * @pages: [pages] pages that the range touches
 * @flags: [flags] 0
 * @ret: [errno] 0
 * @ns: [ns] duration
 *
 * Context: Process context. Locks of an IOAS may be held, as in the unmap
 * callback of the driver.
 */
DEFINE_EVENT(iommufd_access_used, iommufd_access_unpin,
	TP_PROTO(u32 ctx, u32 access, u32 ioas, u64 iova, u64 length, u64 pages,
		 u32 flags, int ret, u64 ns),
	TP_ARGS(ctx, access, ioas, iova, length, pages, flags, ret, ns));

#endif /* __IOMMUFD_TRACE_DEVICE_EVENTS_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH trace
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE device_events
#include <trace/define_trace.h>
