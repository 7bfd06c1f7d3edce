/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints of system "iommufd". They are a stable ABI: existing fields
 * keep their name, type, unit and meaning, new ones are appended. The rules for
 * all of them are in docs/tracepoints.md.
 *
 * The kernel-doc of an event is its contract, and scripts/generate copies it to
 * docs/tracepoints.md: that of the event, and for fields that are members of a
 * structure, that of the structure. The unit of a field is in brackets. A DOC
 * comment is the heading of the events after it.
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
 * @brief_ns: the same for the brief tracepoint
 * @mark_ns: ktime when the current part began
 * @lock_ns: [ns] of the duration, waiting for locks of the IOAS and of the
 *	pages; 0 if all were free
 * @pin_ns: [ns] of the duration, pinning pages
 * @map_ns: [ns] of the duration, writing IOMMU page tables
 * @runs: [count] physically contiguous runs handed to the IOMMU
 * @pinned: [pages] pages that this request pinned
 * @domains: [count] IOMMU page tables written; 0 if no device is attached
 * @seq: [number] sequence number of the request among the maps and unmaps that
 *	changed the IOAS, from 1; 0 if it changed nothing
 */
struct iommufd_map_stats {
	u64 start_ns;
	u64 brief_ns;
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
 * @brief_ns: the same for the brief tracepoint
 * @mark_ns: ktime when the current part began
 * @lock_ns: [ns] of the duration, waiting for locks of the IOAS and of the
 *	pages, for other unmaps of the same addresses, and for drivers to unpin
 *	the pages; 0 if it did not wait
 * @unmap_ns: [ns] of the duration, clearing IOMMU page tables
 * @sync_ns: [ns] of the duration, flushing the IOTLB
 * @unpin_ns: [ns] of the duration, unpinning pages
 * @runs: [count] physically contiguous runs unmapped
 * @unpinned: [pages] pages that are no longer pinned
 * @areas: [count] mappings removed
 * @domains: [count] IOMMU page tables cleared
 * @seq: [number] sequence number of the request among the maps and unmaps that
 *	changed the IOAS, from 1; 0 if it changed nothing
 */
struct iommufd_unmap_stats {
	u64 start_ns;
	u64 brief_ns;
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

/**
 * struct iommufd_map_brief - a map request that ended
 * @ctx: [number] the context
 * @ioas: [object id] the IOAS
 * @iova: [address] as in ``iommufd_ioas_map``
 * @length: [bytes] requested length
 * @source: [enum] as in ``iommufd_ioas_map``
 * @ret: [errno] 0 or the error
 * @pinned: [pages] pages that this request pinned
 * @ns: [ns] duration of the request
 */
struct iommufd_map_brief {
	u32 ctx;
	u32 ioas;
	u64 iova;
	u64 length;
	u32 source;
	s32 ret;
	u64 pinned;
	u64 ns;
};

/**
 * struct iommufd_unmap_brief - an unmap request that ended
 * @ctx: [number] the context
 * @ioas: [object id] the IOAS
 * @iova: [address] first address requested
 * @length: [bytes] requested length, U64_MAX for all
 * @unmapped: [bytes] as in ``iommufd_ioas_unmap``
 * @areas: [count] mappings removed
 * @ret: [errno] 0 or the error
 * @unpinned: [pages] pages that are no longer pinned
 * @ns: [ns] duration of the request
 */
struct iommufd_unmap_brief {
	u32 ctx;
	u32 ioas;
	u64 iova;
	u64 length;
	u64 unmapped;
	u32 areas;
	s32 ret;
	u64 unpinned;
	u64 ns;
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

/**
 * DOC: Contexts
 */

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
 * iommufd_ctx_open - a file of ``/dev/iommu`` was opened
 * @ctx: [number] the context
 * @tgid: [process id] the process that opened it
 * @uid: [user id] the real user id of that process
 * @comm: [text] the name of that process
 *
 * Context: Process context. No lock is held.
 */
DEFINE_EVENT(iommufd_ctx, iommufd_ctx_open,
	TP_PROTO(u32 ctx, pid_t tgid, uid_t uid, const char *comm),
	TP_ARGS(ctx, tgid, uid, comm));

/**
 * iommufd_ctx_close - the last reference to a context is gone
 * @ctx: [number] the context
 * @tgid: [process id] the process that opened it, which may have exited
 * @uid: [user id] the real user id of that process
 * @comm: [text] the name of that process when it opened the context
 *
 * The file and all devices that were bound to it are closed. This is the last
 * event of its context: it fires after those of all objects that the context
 * still had.
 *
 * Context: Process context. No lock is held.
 */
DEFINE_EVENT(iommufd_ctx, iommufd_ctx_close,
	TP_PROTO(u32 ctx, pid_t tgid, uid_t uid, const char *comm),
	TP_ARGS(ctx, tgid, uid, comm));

/**
 * DOC: Objects
 */

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
 * @ctx: [number] the context
 * @obj: the object, in the fields
 *	- id: [object id] the object
 *	- type: [enum] its kind, ``enum iommufd_object_type`` of the running
 *	  kernel's BTF; printed as ``device``, ``hwpt_paging``, ``hwpt_nested``,
 *	  ``ioas``, ``access``, ``fault``, ``viommu``, ``vdevice``, ``veventq``,
 *	  ``hw_queue``. In kernels with the software IOMMU of the tests, its own
 *	  objects have the next number, printed as ``0xb``
 *
 * It fires right before lookups can find the object, so that it precedes all
 * events of its use.
 *
 * Context: Process context. Locks may be held.
 */
DEFINE_EVENT(iommufd_object, iommufd_object_create,
	TP_PROTO(u32 ctx, const struct iommufd_object *obj),
	TP_ARGS(ctx, obj));

/**
 * iommufd_object_destroy - an object is about to be freed
 * @ctx: [number] the context
 * @obj: the object, in the fields
 *	- id: [object id] the object
 *	- type: [enum] its kind, as for ``iommufd_object_create``
 *
 * The object releases what it still holds after this event.
 *
 * Context: Process context. Locks may be held.
 */
DEFINE_EVENT(iommufd_object, iommufd_object_destroy,
	TP_PROTO(u32 ctx, const struct iommufd_object *obj),
	TP_ARGS(ctx, obj));

/**
 * DOC: Mapping
 */

/**
 * iommufd_ioas_map - a map request ended
 * @ctx: [number] the context
 * @ioas: [object id] the IOAS
 * @iova: [address] address of the mapping; the requested one if the request
 *	failed
 * @length: [bytes] requested length
 * @source: [enum] where the pages come from: 0 ``va``, 1 ``memfd``, 2
 *	``dmabuf``, 3 ``copy``
 * @prot: [flags] ``enum iommufd_ioas_map_flags`` without ``FIXED_IOVA``: 2
 *	writable, 4 readable
 * @ret: [errno] 0 or the error
 * @stats: statistics of the request: fields of the same names, and
 *	- ns: [ns] duration of the request, up to the time the event is written:
 *	  if several consumers are attached, later ones see a larger value
 *
 * There is one event for each request that named an existing IOAS, including
 * failed ones.
 *
 * Context: Process context. No lock is held.
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
 * @ctx: [number] the context
 * @ioas: [object id] the IOAS
 * @iova: [address] first address requested
 * @length: [bytes] requested length, U64_MAX for all
 * @unmapped: [bytes] length that is no longer mapped, also if the request
 *	failed on the way
 * @ret: [errno] 0 or the error
 * @stats: statistics of the request: fields of the same names, and
 *	- ns: [ns] duration of the request, up to the time the event is written:
 *	  if several consumers are attached, later ones see a larger value
 *
 * There is one event for each request that named an existing IOAS, including
 * failed ones. If an IOAS is destroyed while it still has mappings, they are
 * removed with one event as well, after its ``iommufd_object_destroy``, with
 * ``iova`` 0 and ``length`` U64_MAX.
 *
 * Context: Process context. No lock is held.
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

/**
 * iommufd_ioas_map_brief - a map request ended, in short
 * @request: the request, in the fields of the same names
 *
 * There is one for each ``iommufd_ioas_map``, with less to write and without
 * the durations of the parts of a request, which take longer to measure. A BPF
 * program that is attached as a raw tracepoint with BTF (``tp_btf``) has a
 * pointer to a ``struct iommufd_map_brief`` with these members: this is the way
 * to count requests that costs them least.
 *
 * Context: Process context. No lock is held.
 */
TRACE_EVENT(iommufd_ioas_map_brief,
	TP_PROTO(const struct iommufd_map_brief *request),
	TP_ARGS(request),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u64, iova)
		__field(u64, length)
		__field(u32, source)
		__field(s32, ret)
		__field(u64, pinned)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = request->ctx;
		__entry->ioas = request->ioas;
		__entry->iova = request->iova;
		__entry->length = request->length;
		__entry->source = request->source;
		__entry->ret = request->ret;
		__entry->pinned = request->pinned;
		__entry->ns = request->ns;
	),
	TP_printk("ctx=%u ioas=%u iova=0x%llx length=0x%llx source=%s ret=%d pinned=%llu ns=%llu",
		  __entry->ctx, __entry->ioas, __entry->iova, __entry->length,
		  show_iommufd_source(__entry->source), __entry->ret,
		  __entry->pinned, __entry->ns)
);

/**
 * iommufd_ioas_unmap_brief - an unmap request ended, in short
 * @request: the request, in the fields of the same names
 *
 * There is one for each ``iommufd_ioas_unmap``, as ``iommufd_ioas_map_brief``
 * for ``iommufd_ioas_map``. BPF programs have a pointer to a ``struct
 * iommufd_unmap_brief``.
 *
 * Context: Process context. No lock is held.
 */
TRACE_EVENT(iommufd_ioas_unmap_brief,
	TP_PROTO(const struct iommufd_unmap_brief *request),
	TP_ARGS(request),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u64, iova)
		__field(u64, length)
		__field(u64, unmapped)
		__field(u32, areas)
		__field(s32, ret)
		__field(u64, unpinned)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ctx = request->ctx;
		__entry->ioas = request->ioas;
		__entry->iova = request->iova;
		__entry->length = request->length;
		__entry->unmapped = request->unmapped;
		__entry->areas = request->areas;
		__entry->ret = request->ret;
		__entry->unpinned = request->unpinned;
		__entry->ns = request->ns;
	),
	TP_printk("ctx=%u ioas=%u iova=0x%llx length=0x%llx unmapped=0x%llx areas=%u ret=%d unpinned=%llu ns=%llu",
		  __entry->ctx, __entry->ioas, __entry->iova, __entry->length,
		  __entry->unmapped, __entry->areas, __entry->ret,
		  __entry->unpinned, __entry->ns)
);

/**
 * DOC: Pinned pages
 *
 * There is one event for all pages of one mapping that a request pins or
 * unpins.
 */

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
 * @ctx: [number] the context of the request
 * @ioas: [object id] the IOAS for which they were pinned
 * @tgid: [process id] the process that is charged
 * @uid: [user id] the user who is charged
 * @mode: [enum] the account that is charged: 0 ``user`` (all processes of the
 *	user, ``user_struct::locked_vm``), 1 ``mm`` (one process,
 *	``mm_struct::locked_vm``), 2 ``none`` (not accounted: ``CAP_IPC_LOCK``,
 *	or not memory)
 * @pages: [pages] number of pages
 * @total: [pages] pages charged to the account after this, 0 if not accounted
 * @limit: [pages] its ``RLIMIT_MEMLOCK``, U64_MAX for unlimited
 *
 * If pinning fails, an ``iommufd_unpin`` of the same number follows.
 *
 * Context: Process context. A mutex of the pages may be held.
 */
DEFINE_EVENT(iommufd_account, iommufd_pin,
	TP_PROTO(u32 ctx, u32 ioas, pid_t tgid, uid_t uid,
		 enum iommufd_accounting mode, u64 pages, u64 total, u64 limit),
	TP_ARGS(ctx, ioas, tgid, uid, mode, pages, total, limit));

/**
 * iommufd_unpin - pages were unpinned and uncharged
 * @ctx: [number] the context of the request
 * @ioas: [object id] the IOAS whose request released them
 * @tgid: [process id] the process that was charged
 * @uid: [user id] the user who was charged
 * @mode: [enum] the account that was charged, as for ``iommufd_pin``
 * @pages: [pages] number of pages
 * @total: [pages] pages charged to the account after this, 0 if not accounted
 * @limit: [pages] its ``RLIMIT_MEMLOCK``, U64_MAX for unlimited
 *
 * Pages that several IOAS of one context share are unpinned by the last one
 * that releases them, which need not be the one in their ``iommufd_pin``.
 *
 * Context: Process context. A mutex of the pages may be held.
 */
DEFINE_EVENT(iommufd_account, iommufd_unpin,
	TP_PROTO(u32 ctx, u32 ioas, pid_t tgid, uid_t uid,
		 enum iommufd_accounting mode, u64 pages, u64 total, u64 limit),
	TP_ARGS(ctx, ioas, tgid, uid, mode, pages, total, limit));

/**
 * iommufd_pin_parallel - several threads pinned pages of one request
 * @ctx: [number] the context of the request
 * @ioas: [object id] the IOAS
 * @pages: [pages] number of pages to pin. A request pins its first pages alone
 * @threads: [count] number of threads, including the caller; 1 if none could be
 *	started
 * @ns: [ns] duration
 * @work_ns: [ns] sum of the time that each thread spent pinning
 *
 * The duration is a part of ``pin_ns`` in ``iommufd_ioas_map``. If a page can't
 * be pinned, the threads stop and the caller pins the remaining pages, which is
 * not part of this event.
 *
 * Context: Process context. A mutex of the pages is held.
 */
TRACE_EVENT(iommufd_pin_parallel,
	TP_PROTO(u32 ctx, u32 ioas, u64 pages, u32 threads, u64 ns,
		 u64 work_ns),
	TP_ARGS(ctx, ioas, pages, threads, ns, work_ns),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u64, pages)
		__field(u32, threads)
		__field(u32, reserved)
		__field(u64, ns)
		__field(u64, work_ns)
	),
	TP_fast_assign(
		__entry->ctx = ctx;
		__entry->ioas = ioas;
		__entry->pages = pages;
		__entry->threads = threads;
		__entry->reserved = 0;
		__entry->ns = ns;
		__entry->work_ns = work_ns;
	),
	TP_printk("ctx=%u ioas=%u pages=%llu threads=%u ns=%llu work_ns=%llu",
		  __entry->ctx, __entry->ioas, __entry->pages,
		  __entry->threads, __entry->ns, __entry->work_ns)
);

/**
 * DOC: Failures
 */

/**
 * iommufd_fail - a request of user space failed
 * @ctx: [number] the context
 * @command: [number] number of the ioctl as strace prints it, ``0x3b85`` for
 *	``IOMMU_IOAS_MAP``; ``VFIO_DEVICE_BIND_IOMMUFD`` (``0x3b76``),
 *	``VFIO_DEVICE_ATTACH_IOMMUFD_PT`` (``0x3b77``) and
 *	``VFIO_GROUP_SET_CONTAINER`` (``0x3b68``) for calls from VFIO; otherwise
 *	1 read of a fault queue, 2 write to a fault queue, 3 read of an event
 *	queue, 4 mmap
 * @reason: [enum] the reason, ``enum iommufd_reason`` of the running kernel's
 *	BTF; printed by name
 * @ret: [errno] the error that user space gets
 * @first: [by reason] the first number that goes with the reason
 * @second: [by reason] the second number
 * @policy: [text] name of the BPF policy that refused it, otherwise empty
 *
 * There is exactly one event per failed request, with the reason.
 * [failures.md](failures.md) lists the reasons, the numbers that go with each,
 * and what to do. Requests are the ioctls of ``/dev/iommu`` (including those of
 * VFIO containers), calls that VFIO makes to iommufd for an ioctl of its own,
 * and reads, writes and mmaps of iommufd's files. A request that began before
 * the event was enabled is not reported. This is the last event of its request:
 * if there is an event for this kind of request, it has come before.
 *
 * Context: Process context. No lock of iommufd is held. ``mmap_lock`` is held
 * for an mmap, and locks of VFIO may be held for its calls.
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
