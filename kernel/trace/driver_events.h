/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the built-in part, for reports of IOMMU drivers. The rules are
 * in trace/events.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_DRIVER_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_DRIVER_EVENTS_H

#include <linux/iommufd.h>
#include <linux/tracepoint.h>

/**
 * DOC: Virtual IOMMUs
 */

/**
 * iommufd_vevent - an IOMMU driver reported an event to a vIOMMU
 * @ctx: [number] the context
 * @viommu: [object id] the vIOMMU
 * @veventq: [object id] the queue, 0 if the vIOMMU has none for the type
 * @type: [enum] ``enum iommu_veventq_type``
 * @length: [bytes] size of the event without its header
 * @sequence: [number] its sequence number in the queue, from 0; 2147483647 is
 *	followed by 0
 * @lost: [count] events that the queue has lost since it was created, including
 *	this one
 * @ret: [errno] 0, or the reason why user space does not get it: ``EOPNOTSUPP``
 *	no queue, ``ENOMEM``
 *
 * If the queue is full, the event is lost: ``ret`` is still 0, and ``lost`` has
 * increased.
 *
 * Context: This fires in any context, including interrupts, whatever task is
 * running. A spinlock of the queue may be held.
 */
TRACE_EVENT(iommufd_vevent,
	TP_PROTO(u32 ctx, u32 viommu, u32 veventq, u32 type, u32 length,
		 u32 sequence, u64 lost, int ret),
	TP_ARGS(ctx, viommu, veventq, type, length, sequence, lost, ret),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, viommu)
		__field(u32, veventq)
		__field(u32, type)
		__field(u32, length)
		__field(u32, sequence)
		__field(u64, lost)
		__field(s32, ret)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->viommu = viommu;
		__entry->veventq = veventq;
		__entry->type = type;
		__entry->length = length;
		__entry->sequence = sequence;
		__entry->lost = lost;
		__entry->ret = ret;
	),
	TP_printk("ctx=%u viommu=%u veventq=%u type=0x%x length=%u sequence=%u lost=%llu ret=%d",
		  __entry->ctx, __entry->viommu, __entry->veventq,
		  __entry->type, __entry->length, __entry->sequence,
		  __entry->lost, __entry->ret)
);

#endif /* __IOMMUFD_TRACE_DRIVER_EVENTS_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH trace
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE driver_events
#include <trace/define_trace.h>
