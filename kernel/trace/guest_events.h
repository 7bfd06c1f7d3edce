/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of vIOMMUs, vDEVICEs and page faults, for guests. The rules are
 * in trace/events.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_GUEST_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_GUEST_EVENTS_H

#include <linux/iommufd.h>
#include <linux/tracepoint.h>

/**
 * DOC: Virtual IOMMUs
 */

/**
 * iommufd_viommu_alloc - a vIOMMU was created, or its creation failed
 * @ctx: [number] the context
 * @viommu: [object id] the vIOMMU, 0 if the request failed
 * @device: [object id] a device behind the IOMMU
 * @hwpt: [object id] the second stage for everything that the vIOMMU translates
 * @type: [enum] ``enum iommu_viommu_type``
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * There is one event for each request that named an existing device.
 *
 * Context: Process context. No lock is held.
 */
TRACE_EVENT(iommufd_viommu_alloc,
	TP_PROTO(u32 ctx, u32 viommu, u32 device, u32 hwpt, u32 type, int ret,
		 u64 ns),
	TP_ARGS(ctx, viommu, device, hwpt, type, ret, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, viommu)
		__field(u32, device)
		__field(u32, hwpt)
		__field(u32, type)
		__field(s32, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->viommu = viommu;
		__entry->device = device;
		__entry->hwpt = hwpt;
		__entry->type = type;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u viommu=%u device=%u hwpt=%u type=0x%x ret=%d ns=%llu",
		  __entry->ctx, __entry->viommu, __entry->device, __entry->hwpt,
		  __entry->type, __entry->ret, __entry->ns)
);

/**
 * iommufd_vdevice_alloc - a vDEVICE was created, or its creation failed
 * @ctx: [number] the context
 * @vdevice: [object id] the vDEVICE, 0 if the request failed
 * @viommu: [object id] the vIOMMU
 * @device: [object id] the device
 * @virt_id: [number] id of the device in the guest's IOMMU driver
 * @ret: [errno] 0 or the error
 * @ns: [ns] duration
 *
 * A vDEVICE is a device as seen by a vIOMMU. There is one event for each
 * request that named an existing vIOMMU.
 *
 * Context: Process context. No lock is held.
 */
TRACE_EVENT(iommufd_vdevice_alloc,
	TP_PROTO(u32 ctx, u32 vdevice, u32 viommu, u32 device, u64 virt_id,
		 int ret, u64 ns),
	TP_ARGS(ctx, vdevice, viommu, device, virt_id, ret, ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, vdevice)
		__field(u32, viommu)
		__field(u32, device)
		__field(u64, virt_id)
		__field(s32, ret)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->vdevice = vdevice;
		__entry->viommu = viommu;
		__entry->device = device;
		__entry->virt_id = virt_id;
		__entry->ret = ret;
		__entry->ns = ns;
	),
	TP_printk("ctx=%u vdevice=%u viommu=%u device=%u virt_id=0x%llx ret=%d ns=%llu",
		  __entry->ctx, __entry->vdevice, __entry->viommu,
		  __entry->device, __entry->virt_id, __entry->ret, __entry->ns)
);

/**
 * DOC: Page faults
 *
 * A queue of page faults passes groups of requests to user space, which answers
 * each group. A cookie identifies a group within its queue; it is not reused
 * for a long time. ``wait_ns`` is the time since the group was reported. It is
 * 0 if no page fault event was enabled at that time.
 */

/**
 * iommufd_fault_report - a device reported a group of page faults
 * @ctx: [number] the context
 * @fault: [object id] the queue
 * @cookie: [number] identifies the group in the queue; 0 if it has no cookie
 * @device: [object id] the device
 * @pasid: [PASID] address space of the device; 0 for none
 * @faults: [count] requests in the group
 * @perm: [flags] ``enum iommu_hwpt_pgfault_perm`` of the first one: 1 read, 2
 *	write, 4 execute, 8 privileged
 * @addr: [address] address of the first one
 * @ret: [errno] 0, or the reason why user space does not get it: ``ENODEV`` the
 *	queue's file is closed, ``ENOMEM``
 *
 * Context: This fires where the IOMMU driver reports page faults, usually in
 * its interrupt thread and not in a task of the context. A spinlock is held.
 */
TRACE_EVENT(iommufd_fault_report,
	TP_PROTO(u32 ctx, u32 fault, u32 cookie, u32 device, u32 pasid,
		 u32 faults, u32 perm, u64 addr, int ret),
	TP_ARGS(ctx, fault, cookie, device, pasid, faults, perm, addr, ret),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, fault)
		__field(u32, cookie)
		__field(u32, device)
		__field(u32, pasid)
		__field(u32, faults)
		__field(u32, perm)
		__field(u64, addr)
		__field(s32, ret)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->fault = fault;
		__entry->cookie = cookie;
		__entry->device = device;
		__entry->pasid = pasid;
		__entry->faults = faults;
		__entry->perm = perm;
		__entry->addr = addr;
		__entry->ret = ret;
	),
	TP_printk("ctx=%u fault=%u cookie=%u device=%u pasid=%u faults=%u perm=0x%x addr=0x%llx ret=%d",
		  __entry->ctx, __entry->fault, __entry->cookie,
		  __entry->device, __entry->pasid, __entry->faults,
		  __entry->perm, __entry->addr, __entry->ret)
);

/**
 * iommufd_fault_read - user space read a group of page faults
 * @ctx: [number] the context
 * @fault: [object id] the queue
 * @cookie: [number] identifies the group in the queue
 * @faults: [count] requests in the group
 * @wait_ns: [ns] time from the report until it was read
 *
 * Context: Process context. No lock is held.
 */
TRACE_EVENT(iommufd_fault_read,
	TP_PROTO(u32 ctx, u32 fault, u32 cookie, u32 faults, u64 wait_ns),
	TP_ARGS(ctx, fault, cookie, faults, wait_ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, fault)
		__field(u32, cookie)
		__field(u32, faults)
		__field(u64, wait_ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->fault = fault;
		__entry->cookie = cookie;
		__entry->faults = faults;
		__entry->wait_ns = wait_ns;
	),
	TP_printk("ctx=%u fault=%u cookie=%u faults=%u wait_ns=%llu",
		  __entry->ctx, __entry->fault, __entry->cookie,
		  __entry->faults, __entry->wait_ns)
);

DECLARE_EVENT_CLASS(iommufd_fault_answered,
	TP_PROTO(u32 ctx, u32 fault, u32 cookie, u32 code, u64 wait_ns),
	TP_ARGS(ctx, fault, cookie, code, wait_ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, fault)
		__field(u32, cookie)
		__field(u32, code)
		__field(u64, wait_ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->fault = fault;
		__entry->cookie = cookie;
		__entry->code = code;
		__entry->wait_ns = wait_ns;
	),
	TP_printk("ctx=%u fault=%u cookie=%u code=%u wait_ns=%llu",
		  __entry->ctx, __entry->fault, __entry->cookie, __entry->code,
		  __entry->wait_ns)
);

/**
 * iommufd_fault_respond - user space answered a group of page faults
 * @ctx: [number] the context
 * @fault: [object id] the queue
 * @cookie: [number] identifies the group in the queue
 * @code: [enum] ``enum iommufd_page_response_code``: 0 the device retries, 1
 *	its access fails
 * @wait_ns: [ns] time that the device waited for the answer
 *
 * Context: Process context. Locks of the queue are held.
 */
DEFINE_EVENT(iommufd_fault_answered, iommufd_fault_respond,
	TP_PROTO(u32 ctx, u32 fault, u32 cookie, u32 code, u64 wait_ns),
	TP_ARGS(ctx, fault, cookie, code, wait_ns));

/**
 * iommufd_fault_abort - a group of page faults without an answer was refused
 * @ctx: [number] the context
 * @fault: [object id] the queue
 * @cookie: [number] identifies the group in the queue
 * @code: [enum] 1
 * @wait_ns: [ns] time that the device waited for the answer
 *
 * User space had not answered it when the attachment that it came through
 * ended, or the queue's file was closed.
 *
 * Context: Process context. Locks of the queue are held.
 */
DEFINE_EVENT(iommufd_fault_answered, iommufd_fault_abort,
	TP_PROTO(u32 ctx, u32 fault, u32 cookie, u32 code, u64 wait_ns),
	TP_ARGS(ctx, fault, cookie, code, wait_ns));

#endif /* __IOMMUFD_TRACE_GUEST_EVENTS_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH trace
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE guest_events
#include <trace/define_trace.h>
