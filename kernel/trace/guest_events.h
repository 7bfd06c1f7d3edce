/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guests have of an IOMMU: vIOMMUs, vDEVICEs, page faults; the rules are in
 * trace/events.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_GUEST_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_GUEST_EVENTS_H

#include <linux/iommufd.h>
#include <linux/tracepoint.h>

/**
 * iommufd_viommu_alloc - a vIOMMU was made, or could not be
 * @ctx: number of the context
 * @viommu: its id, 0 if it failed
 * @device: id of the device
 * @hwpt: id of the second stage
 * @type: enum iommu_viommu_type
 * @ret: 0 or a negative errno
 * @ns: how long it took, 0 unless the event was enabled when it began
 *
 * Context: process context, no lock held.
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
 * iommufd_vdevice_alloc - a vDEVICE was made, or could not be
 * @ctx: number of the context
 * @vdevice: its id, 0 if it failed
 * @viommu: id of the vIOMMU
 * @device: id of the device
 * @virt_id: what the guest calls it
 * @ret: 0 or a negative errno
 * @ns: how long it took, 0 unless the event was enabled when it began
 *
 * Context: process context, no lock held.
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
 * iommufd_fault_report - a device reported page faults
 * @ctx: number of the context
 * @fault: id of the queue
 * @cookie: names the group of requests in the queue
 * @device: id of the device
 * @pasid: PASID, 0 for none
 * @faults: requests in the group
 * @perm: enum iommu_hwpt_pgfault_perm of the first one
 * @addr: address of the first one
 * @ret: 0, or a negative errno if nobody will answer it here
 *
 * Context: process context, where the IOMMU driver reports it; a spinlock is
 * held.
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
 * @ctx: number of the context
 * @fault: id of the queue
 * @cookie: names the group of requests in the queue
 * @faults: requests in the group
 * @wait_ns: since it was reported, 0 unless an event of faults was enabled
 *	then
 *
 * Context: process context, no lock held.
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
 * @ctx: number of the context
 * @fault: id of the queue
 * @cookie: names the group of requests in the queue
 * @code: enum iommufd_page_response_code
 * @wait_ns: since it was reported, 0 unless an event of faults was enabled
 *	then
 *
 * Context: process context, the answer_lock of the queue is held.
 */
DEFINE_EVENT(iommufd_fault_answered, iommufd_fault_respond,
	TP_PROTO(u32 ctx, u32 fault, u32 cookie, u32 code, u64 wait_ns),
	TP_ARGS(ctx, fault, cookie, code, wait_ns));

/**
 * iommufd_fault_abort - page faults that nobody answered were refused
 * @ctx: number of the context
 * @fault: id of the queue
 * @cookie: names the group of requests in the queue
 * @code: enum iommufd_page_response_code
 * @wait_ns: since it was reported, 0 unless an event of faults was enabled
 *	then
 *
 * Context: process context, the answer_lock of the queue is held. The
 * attachment that they came through has ended, or the file of the queue was
 * closed.
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
