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

#ifndef IOMMUFD_DEVICE_NAME_LEN
#define IOMMUFD_DEVICE_NAME_LEN	32
#endif

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
 * iommufd_device_bind - a bind request succeeded or failed
 * @ctx: number of the context
 * @id: id of the device object, 0 if it failed
 * @device: name of the device
 * @group: number of its IOMMU group, 0 if it has none
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own locks.
 */
DEFINE_EVENT(iommufd_device_bound, iommufd_device_bind,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, ret, ns));

/**
 * iommufd_device_unbind - a driver unbound a device
 * @ctx: number of the context
 * @id: former id of the device object
 * @device: name of the device
 * @group: number of its IOMMU group, 0 if it has none
 * @ret: 0
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own locks. The task is the one that closes the device, which may differ from
 * the one that opened it.
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
 * iommufd_device_attach - an attach request succeeded or failed
 * @ctx: number of the context
 * @id: id of the device object, 0 if there is none
 * @device: name of the device
 * @group: number of its IOMMU group, 0 if it has none
 * @pasid: PASID, 0 for the device itself
 * @target: requested id, of an IOAS or a page table
 * @hwpt: id of the page table, 0 if it failed
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own locks.
 */
DEFINE_EVENT(iommufd_device_attached, iommufd_device_attach,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, u32 pasid,
		 u32 target, u32 hwpt, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, pasid, target, hwpt, ret, ns));

/**
 * iommufd_device_replace - a replace request succeeded or failed
 * @ctx: number of the context
 * @id: id of the device object, 0 if there is none
 * @device: name of the device
 * @group: number of its IOMMU group, 0 if it has none
 * @pasid: PASID, 0 for the device itself
 * @target: requested id, of an IOAS or a page table
 * @hwpt: id of the page table, 0 if it failed
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own locks.
 */
DEFINE_EVENT(iommufd_device_attached, iommufd_device_replace,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, u32 pasid,
		 u32 target, u32 hwpt, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, pasid, target, hwpt, ret, ns));

/**
 * iommufd_device_detach - a device was detached
 * @ctx: number of the context
 * @id: id of the device object
 * @device: name of the device
 * @group: number of its IOMMU group, 0 if it has none
 * @pasid: PASID, 0 for the device itself
 * @target: id of the IOAS to which it gave access
 * @hwpt: id of the page table to which it was attached, which may be gone
 * @ret: 0
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own locks. The task may be the one that closes the device, as for
 * iommufd_device_unbind.
 */
DEFINE_EVENT(iommufd_device_attached, iommufd_device_detach,
	TP_PROTO(u32 ctx, u32 id, const char *device, u32 group, u32 pasid,
		 u32 target, u32 hwpt, int ret, u64 ns),
	TP_ARGS(ctx, id, device, group, pasid, target, hwpt, ret, ns));

/**
 * iommufd_hwpt_alloc - allocating a page table succeeded or failed
 * @ctx: number of the context
 * @hwpt: id of the page table, 0 if it failed
 * @parent: id of the IOAS, nesting parent (second stage) or vIOMMU
 * @device: id of the device for which it was allocated
 * @kind: enum iommufd_object_type: paging or nested
 * @automatic: 1 if it was allocated for an attach to an IOAS, 0 if the user
 *	requested it
 * @flags: enum iommufd_hwpt_alloc_flags, including those that a policy added
 * @data_type: enum iommu_hwpt_data_type
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. For a page table that the user requested, no lock
 * is held, and lookups can't find it before this. For an automatic page table,
 * the auto_lock of the IOAS is held and the driver may hold its own locks; if
 * the attach fails, an iommufd_hwpt_free follows.
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
 * iommufd_hwpt_free - a page table was freed
 * @ctx: number of the context
 * @hwpt: former id of the page table
 * @kind: enum iommufd_object_type: paging or nested
 * @automatic: 1 if it was allocated for an attach to an IOAS
 * @ns: duration, 0 unless the event was enabled at the start
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
 * iommufd_hwpt_invalidate - an invalidation request ended
 * @ctx: number of the context
 * @object: id of the nested page table or of the vIOMMU
 * @kind: enum iommufd_object_type
 * @data_type: enum iommu_hwpt_invalidate_data_type
 * @entry_len: size of an entry in bytes
 * @asked: number of entries in the request
 * @handled: number of entries that were handled
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock is held. Fires once for each request that
 * named an existing object, including failed ones.
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
 * iommufd_dirty_read - the dirty bitmap of a page table was read
 * @ctx: number of the context
 * @hwpt: id of the page table
 * @iova: first address
 * @length: bytes
 * @page_size: bytes that a bit represents
 * @dirty: pages of that size that were found dirty
 * @flags: enum iommufd_hwpt_get_dirty_bitmap_flags
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock is held. Fires once for each request that
 * named a page table with dirty tracking, including failed ones.
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
 * iommufd_access_pin - pinning pages for a kernel driver succeeded or failed
 * @ctx: number of the context
 * @access: id of the access
 * @ioas: id of the IOAS, 0 if the access is not attached
 * @iova: first address
 * @length: bytes
 * @pages: pages that the range touches
 * @flags: IOMMUFD_ACCESS_RW_*
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own locks.
 */
DEFINE_EVENT(iommufd_access_used, iommufd_access_pin,
	TP_PROTO(u32 ctx, u32 access, u32 ioas, u64 iova, u64 length, u64 pages,
		 u32 flags, int ret, u64 ns),
	TP_ARGS(ctx, access, ioas, iova, length, pages, flags, ret, ns));

/**
 * iommufd_access_rw - a read or write of a kernel driver succeeded or failed
 * @ctx: number of the context
 * @access: id of the access
 * @ioas: id of the IOAS, 0 if the access is not attached
 * @iova: first address
 * @length: bytes
 * @pages: pages that the range touches
 * @flags: IOMMUFD_ACCESS_RW_*
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
 *
 * Context: Process context. No lock of iommufd is held; the driver may hold its
 * own locks.
 */
DEFINE_EVENT(iommufd_access_used, iommufd_access_rw,
	TP_PROTO(u32 ctx, u32 access, u32 ioas, u64 iova, u64 length, u64 pages,
		 u32 flags, int ret, u64 ns),
	TP_ARGS(ctx, access, ioas, iova, length, pages, flags, ret, ns));

/**
 * iommufd_access_unpin - a kernel driver unpinned pages
 * @ctx: number of the context
 * @access: id of the access
 * @ioas: id of the IOAS, 0 if the access is not attached
 * @iova: first address
 * @length: bytes
 * @pages: pages that the range touches
 * @flags: IOMMUFD_ACCESS_RW_*
 * @ret: 0 or a negative errno
 * @ns: duration, 0 unless the event was enabled at the start
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
