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
 * iommufd_vevent - an IOMMU driver reported an event to a vIOMMU
 * @ctx: number of the context
 * @viommu: id of the vIOMMU
 * @veventq: id of the queue, 0 if the vIOMMU has no queue for the type
 * @type: enum iommu_veventq_type
 * @length: bytes of the event
 * @sequence: sequence number of the event in the queue
 * @lost: events that the queue has lost since it was allocated, including this
 *	one
 * @ret: 0 or a negative errno
 *
 * Context: Any context. A spinlock of the queue may be held.
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
