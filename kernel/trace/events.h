/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints of system "iommufd". They are a stable ABI: existing fields
 * keep their name, type, unit and meaning, new ones are appended.
 * docs/tracepoints.md is the contract for users.
 *
 * Units: lengths and addresses are in bytes, *_ns in nanoseconds, pages in
 * units of PAGE_SIZE, ret is 0 or a negative errno. Durations are 0 unless the
 * event was already enabled when the request began.
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
 * enum iommufd_accounting - the counter to which pinned pages are charged
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
 * struct iommufd_map_stats - statistics of a map request
 * @start_ns: ktime when the request began, 0 if the tracepoint was disabled
 * @mark_ns: ktime when the current part began
 * @lock_ns: waiting for the locks of the IOAS and of the pages
 * @pin_ns: pinning pages
 * @map_ns: writing IOMMU page tables
 * @runs: physically contiguous runs handed to the IOMMU
 * @pinned: pages newly pinned
 * @domains: page tables written
 * @seq: number of the request among those that have changed the IOAS, 0 if this
 *	one has not
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
 * struct iommufd_unmap_stats - statistics of an unmap request
 * @start_ns: ktime when the request began, 0 if the tracepoint was disabled
 * @mark_ns: ktime when the current part began
 * @lock_ns: waiting for the locks of the IOAS and of the pages, and for drivers
 *	to unpin the pages
 * @unmap_ns: clearing IOMMU page tables
 * @sync_ns: flushing the IOTLB
 * @unpin_ns: unpinning pages
 * @runs: physically contiguous runs released
 * @unpinned: pages unpinned
 * @areas: areas removed
 * @domains: page tables cleared
 * @seq: number of the request among those that have changed the IOAS, 0 if this
 *	one has not
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
 * @ctx: number of the context, not reused while the module is loaded
 * @tgid: process that opened it, in the initial pid namespace
 * @uid: real user id of that process, in the initial user namespace
 * @comm: name of that process
 *
 * Context: Process context. No lock is held.
 */
DEFINE_EVENT(iommufd_ctx, iommufd_ctx_open,
	TP_PROTO(u32 ctx, pid_t tgid, uid_t uid, const char *comm),
	TP_ARGS(ctx, tgid, uid, comm));

/**
 * iommufd_ctx_close - the last reference to a context was released
 * @ctx: number of the context
 * @tgid: process that opened it, which may have exited
 * @uid: real user id of that process
 * @comm: name of that process when it opened the context
 *
 * Context: Process context. No lock is held. Fires after the events of all
 * objects that the context still had.
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
 * Context: Process context. Locks may be held. Fires right before lookups can
 * find the object, so that it precedes all events of its use.
 */
DEFINE_EVENT(iommufd_object, iommufd_object_create,
	TP_PROTO(u32 ctx, const struct iommufd_object *obj),
	TP_ARGS(ctx, obj));

/**
 * iommufd_object_destroy - an object is about to be freed
 * @ctx: number of the context
 * @obj: the object; the event carries its id and its enum iommufd_object_type
 *
 * Context: Process context. Locks may be held. Fires before the object releases
 * what it holds.
 */
DEFINE_EVENT(iommufd_object, iommufd_object_destroy,
	TP_PROTO(u32 ctx, const struct iommufd_object *obj),
	TP_ARGS(ctx, obj));

/**
 * iommufd_ioas_map - a map request ended
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @iova: address of the mapping; the requested address if the request failed
 * @length: requested bytes
 * @source: enum iommufd_source
 * @prot: enum iommufd_ioas_map_flags, without FIXED_IOVA
 * @ret: 0 or a negative errno
 * @stats: statistics and durations of the request
 *
 * Context: Process context. No lock is held. Fires once for each request that
 * named an existing IOAS, including failed ones.
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
 * @iova: first requested address
 * @length: requested bytes, U64_MAX for all
 * @unmapped: bytes that are no longer mapped
 * @ret: 0 or a negative errno
 * @stats: statistics and durations of the request
 *
 * Context: Process context. No lock is held. Fires once for each request that
 * named an existing IOAS, including failed ones. Clearing the remaining
 * mappings of a destroyed IOAS is reported as one event with iova 0 and length
 * U64_MAX.
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
 * iommufd_pin - pages that are about to be pinned are charged to their owner
 * @ctx: number of the context of the request
 * @ioas: id of the IOAS for which they are pinned
 * @tgid: process to which they are charged
 * @uid: user to which they are charged
 * @mode: enum iommufd_accounting
 * @pages: pages charged; if pinning fails, an iommufd_unpin with the same
 *	number follows
 * @total: all pages charged to the owner after this, 0 if not accounted
 * @limit: RLIMIT_MEMLOCK of the owner in pages, U64_MAX if unlimited
 *
 * Context: Process context. A mutex of the pages is held. Fires once for all
 * pages that a request pins in one area.
 */
DEFINE_EVENT(iommufd_account, iommufd_pin,
	TP_PROTO(u32 ctx, u32 ioas, pid_t tgid, uid_t uid,
		 enum iommufd_accounting mode, u64 pages, u64 total, u64 limit),
	TP_ARGS(ctx, ioas, tgid, uid, mode, pages, total, limit));

/**
 * iommufd_unpin - pages were unpinned and uncharged
 * @ctx: number of the context of the request
 * @ioas: id of the IOAS for which they are unpinned
 * @tgid: process to which they were charged
 * @uid: user to which they were charged
 * @mode: enum iommufd_accounting
 * @pages: pages unpinned
 * @total: all pages charged to the owner after this, 0 if not accounted
 * @limit: RLIMIT_MEMLOCK of the owner in pages, U64_MAX if unlimited
 *
 * Context: Process context. A mutex of the pages is held.
 */
DEFINE_EVENT(iommufd_account, iommufd_unpin,
	TP_PROTO(u32 ctx, u32 ioas, pid_t tgid, uid_t uid,
		 enum iommufd_accounting mode, u64 pages, u64 total, u64 limit),
	TP_ARGS(ctx, ioas, tgid, uid, mode, pages, total, limit));

/**
 * iommufd_fail - a request of user space failed
 * @ctx: number of the context
 * @command: number of the ioctl as strace shows it; for calls by VFIO the
 *	number of VFIO's ioctl; or enum iommufd_file_request
 * @reason: enum iommufd_reason
 * @ret: the negative errno that the user gets
 * @first: a number that explains the reason, see docs/failures.md
 * @second: another number
 * @policy: name of the BPF policy that refused the request, else empty
 *
 * Context: Process context. No lock of iommufd is held. The mmap_lock is held
 * for an mmap(), and VFIO may hold its locks for its requests. Fires once for
 * each failed request that began while the event was enabled.
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
