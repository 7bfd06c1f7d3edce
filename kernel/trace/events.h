/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints of system "iommufd". They are an ABI: a field keeps its name,
 * meaning and unit for ever, new fields go to the end. docs/tracepoints.md is
 * the contract that users read.
 *
 * Units: lengths and addresses in bytes, *_ns in nanoseconds, pages in units of
 * PAGE_SIZE, ret 0 or a negative errno. Durations are 0 unless the event was
 * already enabled when the request began.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_EVENTS_H

#include <linux/iommufd.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

#include "trace/reason.h"

#ifndef __IOMMUFD_TRACE_TYPES
#define __IOMMUFD_TRACE_TYPES
/**
 * enum iommufd_source - where the pages of a mapping come from
 * @IOMMUFD_SOURCE_VA: a user virtual address range (IOAS_MAP)
 * @IOMMUFD_SOURCE_MEMFD: a memfd (IOAS_MAP_FILE)
 * @IOMMUFD_SOURCE_DMABUF: a dma-buf (IOAS_MAP_FILE)
 * @IOMMUFD_SOURCE_COPY: the pages of another mapping (IOAS_COPY)
 */
enum iommufd_source {
	IOMMUFD_SOURCE_VA = 0,
	IOMMUFD_SOURCE_MEMFD = 1,
	IOMMUFD_SOURCE_DMABUF = 2,
	IOMMUFD_SOURCE_COPY = 3,
};

/**
 * enum iommufd_accounting - which counter bears pinned pages
 * @IOMMUFD_ACCOUNT_USER: user_struct::locked_vm, all processes of a user
 * @IOMMUFD_ACCOUNT_MM: mm_struct::locked_vm, one process
 * @IOMMUFD_ACCOUNT_NONE: not accounted (CAP_IPC_LOCK or not memory)
 */
enum iommufd_accounting {
	IOMMUFD_ACCOUNT_USER = 0,
	IOMMUFD_ACCOUNT_MM = 1,
	IOMMUFD_ACCOUNT_NONE = 2,
};

/**
 * struct iommufd_map_stats - what one map request did
 * @start_ns: ktime when the request began, 0 while nobody listens
 * @mark_ns: ktime when the part that runs began
 * @lock_ns: waiting for the locks of the IOAS and of the pages
 * @pin_ns: pinning pages
 * @map_ns: writing IOMMU page tables
 * @runs: physically contiguous runs handed to the IOMMU
 * @pinned: pages newly pinned
 * @domains: page tables written
 * @seq: number of the request among those that have changed the IOAS, 0 if it
 *	has not
 */
struct iommufd_map_stats {
	u64 start_ns;
	u64 mark_ns;
	u64 lock_ns;
	u64 pin_ns;
	u64 map_ns;
	u64 runs;
	u64 pinned;
	u32 domains;
	u64 seq;
};

/**
 * struct iommufd_unmap_stats - what one unmap request did
 * @start_ns: ktime when the request began, 0 while nobody listens
 * @mark_ns: ktime when the part that runs began
 * @lock_ns: waiting for the locks of the IOAS and of the pages, and for drivers
 *	to let go of them
 * @unmap_ns: clearing IOMMU page tables
 * @sync_ns: flushing the IOTLB
 * @unpin_ns: unpinning pages
 * @runs: physically contiguous runs given back
 * @unpinned: pages no longer pinned
 * @areas: areas removed
 * @domains: page tables cleared
 * @seq: number of the request among those that have changed the IOAS, 0 if it
 *	has not
 */
struct iommufd_unmap_stats {
	u64 start_ns;
	u64 mark_ns;
	u64 lock_ns;
	u64 unmap_ns;
	u64 sync_ns;
	u64 unpin_ns;
	u64 runs;
	u64 unpinned;
	u32 areas;
	u32 domains;
	u64 seq;
};
#endif /* __IOMMUFD_TRACE_TYPES */

TRACE_DEFINE_ENUM(IOMMUFD_OBJ_DEVICE);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_HWPT_PAGING);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_HWPT_NESTED);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_IOAS);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_ACCESS);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_FAULT);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_VIOMMU);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_VDEVICE);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_VEVENTQ);
TRACE_DEFINE_ENUM(IOMMUFD_OBJ_HW_QUEUE);
TRACE_DEFINE_ENUM(IOMMUFD_SOURCE_VA);
TRACE_DEFINE_ENUM(IOMMUFD_SOURCE_MEMFD);
TRACE_DEFINE_ENUM(IOMMUFD_SOURCE_DMABUF);
TRACE_DEFINE_ENUM(IOMMUFD_SOURCE_COPY);
TRACE_DEFINE_ENUM(IOMMUFD_ACCOUNT_USER);
TRACE_DEFINE_ENUM(IOMMUFD_ACCOUNT_MM);
TRACE_DEFINE_ENUM(IOMMUFD_ACCOUNT_NONE);

#define IOMMUFD_REASON_EXPORT(_name, ...) \
	TRACE_DEFINE_ENUM(IOMMUFD_REASON_##_name);
IOMMUFD_REASONS(IOMMUFD_REASON_EXPORT, IOMMUFD_REASON_EXPORT)
#undef IOMMUFD_REASON_EXPORT

#define IOMMUFD_REASON_TEXT(_name, _text) \
	{ IOMMUFD_REASON_##_name, _text },
#define IOMMUFD_REASON_LAST_TEXT(_name, _text) \
	{ IOMMUFD_REASON_##_name, _text }

#define show_iommufd_reason(reason) \
	__print_symbolic(reason, \
		IOMMUFD_REASONS(IOMMUFD_REASON_TEXT, IOMMUFD_REASON_LAST_TEXT))

#define show_iommufd_object_type(type) \
	__print_symbolic(type, \
		{ IOMMUFD_OBJ_DEVICE, "device" }, \
		{ IOMMUFD_OBJ_HWPT_PAGING, "hwpt_paging" }, \
		{ IOMMUFD_OBJ_HWPT_NESTED, "hwpt_nested" }, \
		{ IOMMUFD_OBJ_IOAS, "ioas" }, \
		{ IOMMUFD_OBJ_ACCESS, "access" }, \
		{ IOMMUFD_OBJ_FAULT, "fault" }, \
		{ IOMMUFD_OBJ_VIOMMU, "viommu" }, \
		{ IOMMUFD_OBJ_VDEVICE, "vdevice" }, \
		{ IOMMUFD_OBJ_VEVENTQ, "veventq" }, \
		{ IOMMUFD_OBJ_HW_QUEUE, "hw_queue" })

#define show_iommufd_source(source) \
	__print_symbolic(source, \
		{ IOMMUFD_SOURCE_VA, "va" }, \
		{ IOMMUFD_SOURCE_MEMFD, "memfd" }, \
		{ IOMMUFD_SOURCE_DMABUF, "dmabuf" }, \
		{ IOMMUFD_SOURCE_COPY, "copy" })

#define show_iommufd_accounting(mode) \
	__print_symbolic(mode, \
		{ IOMMUFD_ACCOUNT_USER, "user" }, \
		{ IOMMUFD_ACCOUNT_MM, "mm" }, \
		{ IOMMUFD_ACCOUNT_NONE, "none" })

DECLARE_EVENT_CLASS(iommufd_ctx,
	TP_PROTO(u32 ctx, pid_t tgid, uid_t uid, const char *comm),
	TP_ARGS(ctx, tgid, uid, comm),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, tgid)
		__field(u32, uid)
		__array(char, comm, TASK_COMM_LEN)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->tgid = tgid;
		__entry->uid = uid;
		strscpy_pad(__entry->comm, comm, TASK_COMM_LEN);
	),
	TP_printk("ctx=%u tgid=%u uid=%u comm=%s", __entry->ctx, __entry->tgid,
		  __entry->uid, __entry->comm)
);

/**
 * iommufd_ctx_open - a file of /dev/iommu was opened
 * @ctx: number of the context, never used again while the module is loaded
 * @tgid: process that opened it, in the initial pid namespace
 * @uid: its real user id, in the initial user namespace
 * @comm: its name
 *
 * Context: process context, no lock held.
 */
DEFINE_EVENT(iommufd_ctx, iommufd_ctx_open,
	TP_PROTO(u32 ctx, pid_t tgid, uid_t uid, const char *comm),
	TP_ARGS(ctx, tgid, uid, comm));

/**
 * iommufd_ctx_close - the last user of a context let go of it
 * @ctx: number of the context
 * @tgid: process that opened it, which may be gone
 * @uid: its real user id
 * @comm: its name when it opened the context
 *
 * Context: process context, no lock held. Fires after the events of all that
 * the context still held.
 */
DEFINE_EVENT(iommufd_ctx, iommufd_ctx_close,
	TP_PROTO(u32 ctx, pid_t tgid, uid_t uid, const char *comm),
	TP_ARGS(ctx, tgid, uid, comm));

DECLARE_EVENT_CLASS(iommufd_object,
	TP_PROTO(u32 ctx, const struct iommufd_object *obj),
	TP_ARGS(ctx, obj),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, id)
		__field(u32, type)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->id = obj->id;
		__entry->type = obj->type;
	),
	TP_printk("ctx=%u id=%u type=%s", __entry->ctx, __entry->id,
		  show_iommufd_object_type(__entry->type))
);

/**
 * iommufd_object_create - an object becomes visible under its id
 * @ctx: number of the context
 * @obj: the object; the event carries its id and its enum iommufd_object_type
 *
 * Context: process context, may hold locks. Fires right before it can be found,
 * so that no event of its use comes earlier.
 */
DEFINE_EVENT(iommufd_object, iommufd_object_create,
	TP_PROTO(u32 ctx, const struct iommufd_object *obj),
	TP_ARGS(ctx, obj));

/**
 * iommufd_object_destroy - an object is about to be freed
 * @ctx: number of the context
 * @obj: the object; the event carries its id and its enum iommufd_object_type
 *
 * Context: process context, may hold locks. Fires before the object gives back
 * what it holds.
 */
DEFINE_EVENT(iommufd_object, iommufd_object_destroy,
	TP_PROTO(u32 ctx, const struct iommufd_object *obj),
	TP_ARGS(ctx, obj));

/**
 * iommufd_ioas_map - a map request ended
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @iova: where the mapping was put; what was asked for if it failed
 * @length: bytes asked for
 * @source: enum iommufd_source
 * @prot: enum iommufd_ioas_map_flags, without FIXED_IOVA
 * @ret: 0 or a negative errno
 * @stats: what it did and how long each part took
 *
 * Context: process context, no lock is held. One event a request that named an
 * existing IOAS, failed ones included.
 */
TRACE_EVENT(iommufd_ioas_map,
	TP_PROTO(u32 ctx, u32 ioas, u64 iova, u64 length,
		 enum iommufd_source source, u32 prot, int ret,
		 const struct iommufd_map_stats *stats),
	TP_ARGS(ctx, ioas, iova, length, source, prot, ret, stats),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u64, iova)
		__field(u64, length)
		__field(u32, source)
		__field(u32, prot)
		__field(u64, runs)
		__field(u64, pinned)
		__field(u32, domains)
		__field(s32, ret)
		__field(u64, ns)
		__field(u64, lock_ns)
		__field(u64, pin_ns)
		__field(u64, map_ns)
		__field(u64, seq)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->ioas = ioas;
		__entry->iova = iova;
		__entry->length = length;
		__entry->source = source;
		__entry->prot = prot;
		__entry->runs = stats->runs;
		__entry->pinned = stats->pinned;
		__entry->domains = stats->domains;
		__entry->ret = ret;
		__entry->ns = stats->start_ns ?
			ktime_get_ns() - stats->start_ns : 0;
		__entry->lock_ns = stats->lock_ns;
		__entry->pin_ns = stats->pin_ns;
		__entry->map_ns = stats->map_ns;
		__entry->seq = stats->seq;
	),
	TP_printk("ctx=%u ioas=%u iova=0x%llx length=0x%llx source=%s prot=0x%x runs=%llu pinned=%llu domains=%u ret=%d ns=%llu lock_ns=%llu pin_ns=%llu map_ns=%llu seq=%llu",
		  __entry->ctx, __entry->ioas, __entry->iova, __entry->length,
		  show_iommufd_source(__entry->source), __entry->prot,
		  __entry->runs, __entry->pinned, __entry->domains,
		  __entry->ret, __entry->ns, __entry->lock_ns, __entry->pin_ns,
		  __entry->map_ns, __entry->seq)
);

/**
 * iommufd_ioas_unmap - an unmap request ended
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @iova: first address asked for
 * @length: bytes asked for, U64_MAX for all
 * @unmapped: bytes no longer mapped
 * @ret: 0 or a negative errno
 * @stats: what it did and how long each part took
 *
 * Context: process context, no lock held. One event a request that named an
 * existing IOAS, failed ones included. The clearing of what a destroyed IOAS
 * still maps comes as one event with iova 0 and length U64_MAX.
 */
TRACE_EVENT(iommufd_ioas_unmap,
	TP_PROTO(u32 ctx, u32 ioas, u64 iova, u64 length, u64 unmapped, int ret,
		 const struct iommufd_unmap_stats *stats),
	TP_ARGS(ctx, ioas, iova, length, unmapped, ret, stats),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u64, iova)
		__field(u64, length)
		__field(u64, unmapped)
		__field(u64, runs)
		__field(u64, unpinned)
		__field(u32, areas)
		__field(u32, domains)
		__field(s32, ret)
		__field(u32, reserved)
		__field(u64, ns)
		__field(u64, lock_ns)
		__field(u64, unmap_ns)
		__field(u64, sync_ns)
		__field(u64, unpin_ns)
		__field(u64, seq)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->ioas = ioas;
		__entry->iova = iova;
		__entry->length = length;
		__entry->unmapped = unmapped;
		__entry->runs = stats->runs;
		__entry->unpinned = stats->unpinned;
		__entry->areas = stats->areas;
		__entry->domains = stats->domains;
		__entry->ret = ret;
		__entry->reserved = 0;
		__entry->ns = stats->start_ns ?
			ktime_get_ns() - stats->start_ns : 0;
		__entry->lock_ns = stats->lock_ns;
		__entry->unmap_ns = stats->unmap_ns;
		__entry->sync_ns = stats->sync_ns;
		__entry->unpin_ns = stats->unpin_ns;
		__entry->seq = stats->seq;
	),
	TP_printk("ctx=%u ioas=%u iova=0x%llx length=0x%llx unmapped=0x%llx runs=%llu unpinned=%llu areas=%u domains=%u ret=%d ns=%llu lock_ns=%llu unmap_ns=%llu sync_ns=%llu unpin_ns=%llu seq=%llu",
		  __entry->ctx, __entry->ioas, __entry->iova, __entry->length,
		  __entry->unmapped, __entry->runs, __entry->unpinned,
		  __entry->areas, __entry->domains, __entry->ret, __entry->ns,
		  __entry->lock_ns, __entry->unmap_ns, __entry->sync_ns,
		  __entry->unpin_ns, __entry->seq)
);

DECLARE_EVENT_CLASS(iommufd_account,
	TP_PROTO(u32 ctx, u32 ioas, pid_t tgid, uid_t uid,
		 enum iommufd_accounting mode, u64 pages, u64 total, u64 limit),
	TP_ARGS(ctx, ioas, tgid, uid, mode, pages, total, limit),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u32, tgid)
		__field(u32, uid)
		__field(u32, mode)
		__field(u32, reserved)
		__field(u64, pages)
		__field(u64, total)
		__field(u64, limit)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->ioas = ioas;
		__entry->tgid = tgid;
		__entry->uid = uid;
		__entry->mode = mode;
		__entry->reserved = 0;
		__entry->pages = pages;
		__entry->total = total;
		__entry->limit = limit;
	),
	TP_printk("ctx=%u ioas=%u tgid=%u uid=%u mode=%s pages=%llu total=%llu limit=%llu",
		  __entry->ctx, __entry->ioas, __entry->tgid, __entry->uid,
		  show_iommufd_accounting(__entry->mode), __entry->pages,
		  __entry->total, __entry->limit)
);

/**
 * iommufd_pin - an owner is charged for pages that are about to be pinned
 * @ctx: number of the context that asked
 * @ioas: id of the IOAS for which they were pinned
 * @tgid: process that bears them
 * @uid: user that bears them
 * @mode: enum iommufd_accounting
 * @pages: pages charged; as many are relieved by an iommufd_unpin if pinning fails
 * @total: all pages charged to the owner after this, 0 if not accounted
 * @limit: its RLIMIT_MEMLOCK in pages, U64_MAX for none
 *
 * Context: process context, the pages' mutex is held. One event for all that a
 * request needs to have pinned of one area.
 */
DEFINE_EVENT(iommufd_account, iommufd_pin,
	TP_PROTO(u32 ctx, u32 ioas, pid_t tgid, uid_t uid,
		 enum iommufd_accounting mode, u64 pages, u64 total, u64 limit),
	TP_ARGS(ctx, ioas, tgid, uid, mode, pages, total, limit));

/**
 * iommufd_unpin - pages were unpinned and their owner was relieved of them
 * @ctx: number of the context that asked
 * @ioas: id of the IOAS whose request let go of them
 * @tgid: process that bore them
 * @uid: user that bore them
 * @mode: enum iommufd_accounting
 * @pages: pages unpinned
 * @total: all pages charged to the owner after this, 0 if not accounted
 * @limit: its RLIMIT_MEMLOCK in pages, U64_MAX for none
 *
 * Context: process context, the pages' mutex is held.
 */
DEFINE_EVENT(iommufd_account, iommufd_unpin,
	TP_PROTO(u32 ctx, u32 ioas, pid_t tgid, uid_t uid,
		 enum iommufd_accounting mode, u64 pages, u64 total, u64 limit),
	TP_ARGS(ctx, ioas, tgid, uid, mode, pages, total, limit));

/**
 * iommufd_fail - a request of user space failed
 * @ctx: number of the context
 * @command: number of the ioctl as strace has it, VFIO's for what VFIO asks on
 *	behalf of its own; or enum iommufd_file_request
 * @reason: enum iommufd_reason
 * @ret: the negative errno that the user gets
 * @first: a number that goes with the reason, see docs/failures.md
 * @second: another one
 * @policy: name of the BPF policy that refused it, else empty
 *
 * Context: process context, no lock of iommufd held. The mmap_lock is held for
 * an mmap(), and locks of VFIO may be for its requests. One event a request that
 * began while somebody listened.
 */
TRACE_EVENT(iommufd_fail,
	TP_PROTO(u32 ctx, u32 command, enum iommufd_reason reason, int ret,
		 u64 first, u64 second, const char *policy),
	TP_ARGS(ctx, command, reason, ret, first, second, policy),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, command)
		__field(u32, reason)
		__field(s32, ret)
		__field(u64, first)
		__field(u64, second)
		__array(char, policy, IOMMUFD_POLICY_NAME_LEN)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->command = command;
		__entry->reason = reason;
		__entry->ret = ret;
		__entry->first = first;
		__entry->second = second;
		strscpy_pad(__entry->policy, policy, IOMMUFD_POLICY_NAME_LEN);
	),
	TP_printk("ctx=%u command=0x%x reason=%s ret=%d first=0x%llx second=0x%llx policy=%s",
		  __entry->ctx, __entry->command,
		  show_iommufd_reason(__entry->reason), __entry->ret,
		  __entry->first, __entry->second, __entry->policy)
);

#endif /* __IOMMUFD_TRACE_EVENTS_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH trace
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE events
#include <trace/define_trace.h>
