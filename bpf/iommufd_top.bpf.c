// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sums up the events of iommufd in the kernel: one row for each IOAS, page
 * table and device, and one for each reason that requests of a process fail
 * for. Single events are not sent, so a storm of events can't overrun the
 * reader.
 *
 * Rows are shared between CPUs and changed with atomic operations only:
 * requests on one IOAS contend for its locks anyway, and a histogram for each
 * CPU would cost more memory than that saves.
 *
 * The loss of a row that doesn't fit is reported: its events count in `lost`.
 */
#include "iommufd_top_count.h"
#include "iommufd_top_objects.h"
#include "iommufd_top_place.h"
#include "sizing.h"

char LICENSE[] SEC("license") = "GPL";

/* Value of the field `source` of map requests: a copy of other mappings. */
#define SOURCE_COPY 3

/* The arguments of raw tracepoints. */
struct map_args {
	const struct iommufd_map_brief *request;
};

struct unmap_args {
	const struct iommufd_unmap_brief *request;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_ROWS);
	__type(key, struct top_key);
	__type(value, struct top_row);
} rows SEC(".maps");

/* The number of failures, and the last one, which is replaced as a whole. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_ROWS);
	__type(key, struct top_fail_key);
	__type(value, __u64);
} failures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOP_MAX_ROWS);
	__type(key, struct top_fail_key);
	__type(value, struct top_fail);
} last_failures SEC(".maps");

/* Too large for the stack. */
static const struct top_row empty_row;

static void get_comm(char *comm)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	/* The name of the process, not of the thread. */
	bpf_probe_read_kernel_str(comm, TOP_COMM_LEN,
				  BPF_CORE_READ(task, group_leader, comm));
}

/*
 * The owner is the process that creates the IOAS or uses it first, not the one
 * that opened the context: a manager may open /dev/iommu and pass the file on
 * to the VM.
 */
static __noinline struct top_row *make_row(__u32 ctx, __u32 ioas, bool creation)
{
	struct top_key key = { .ctx = ctx, .id = ioas };
	struct top_ctx *owner = top_get_ctx(ctx);
	struct top_row *row = NULL;
	bool made;

	if (owner)
		row = place_claim(ctx, ioas, &made) ?:
			      top_add_row(&rows, &key, &empty_row, &made);
	if (!row) {
		top_lose();
		return NULL;
	}
	if (made) {
		top_begin_life(&row->life, owner, creation);
		row->tgid = bpf_get_current_pid_tgid() >> 32;
		row->uid = bpf_get_current_uid_gid();
		get_comm(row->comm);
	}
	return row;
}

/* Every request uses this path, so it is kept short. */
static __always_inline struct top_row *get_row(__u32 ctx, __u32 ioas,
					       bool creation)
{
	struct top_row *row = place_find(ctx, ioas);

	if (!row) {
		struct top_key key = { .ctx = ctx, .id = ioas };

		row = bpf_map_lookup_elem(&rows, &key) ?:
			      make_row(ctx, ioas, creation);
	}
	return row;
}

static void count_size(struct top_row *row, enum operation op, __u64 bytes)
{
	__sync_fetch_and_add(&row->size[op][slot_of(bytes)], 1);
}

SEC("tp/iommufd/iommufd_ctx_open")
int ctx_open(struct trace_event_raw_iommufd_ctx *event)
{
	struct top_ctx new = { .tgid = event->tgid, .uid = event->uid };
	__u32 ctx = event->ctx;

	bpf_core_read(new.comm, sizeof(new.comm), &event->comm);
	if (bpf_map_update_elem(&contexts, &ctx, &new, BPF_ANY))
		top_lose();
	return 0;
}

SEC("tp/iommufd/iommufd_ctx_close")
int ctx_close(struct trace_event_raw_iommufd_ctx *event)
{
	__u32 ctx = event->ctx;
	struct top_ctx *found;

	found = bpf_map_lookup_elem(&contexts, &ctx);
	if (found)
		found->closed = 1;
	return 0;
}

#define TYPE(name) \
	bpf_core_enum_value(enum iommufd_object_type, IOMMUFD_OBJ_##name)

static int count_object(struct trace_event_raw_iommufd_object *event,
			bool creation)
{
	__u32 type = event->type;
	struct top_life *life;

	if (type == TYPE(IOAS))
		life = (void *)get_row(event->ctx, event->id, creation);
	else if (type == TYPE(DEVICE))
		life = (void *)get_device(event->ctx, event->id, creation);
	else if (type == TYPE(HWPT_PAGING) || type == TYPE(HWPT_NESTED) ||
		 type == TYPE(VIOMMU))
		life = (void *)get_table(event->ctx, event->id, creation);
	else
		return 0;
	if (life)
		top_count_life(life, creation, type);
	return 0;
}

SEC("tp/iommufd/iommufd_object_create")
int object_create(struct trace_event_raw_iommufd_object *event)
{
	return count_object(event, true);
}

SEC("tp/iommufd/iommufd_object_destroy")
int object_destroy(struct trace_event_raw_iommufd_object *event)
{
	return count_object(event, false);
}

/* The verifier does not know that the kernel passes no NULL. */
SEC("tp_btf/iommufd_ioas_map_brief")
int ioas_map(const struct map_args *args)
{
	const struct iommufd_map_brief *event = args->request;
	struct top_row *row;
	__s32 ret;

	if (!event)
		return 0;
	row = get_row(event->ctx, event->ioas, false);
	if (!row)
		return 0;
	ret = event->ret;
	if (!ret) {
		__u64 length = event->length;

		__sync_fetch_and_add(&row->op[OP_MAP].amount, length);
		__sync_fetch_and_add(&row->pinned, event->pinned);
		count_size(row, OP_MAP, length);
		if (event->source == SOURCE_COPY)
			__sync_fetch_and_add(&row->mixed, 1);
	}
	top_count_op(&row->op[OP_MAP], ret, event->ns);
	return 0;
}

SEC("tp_btf/iommufd_ioas_unmap_brief")
int ioas_unmap(const struct unmap_args *args)
{
	const struct iommufd_unmap_brief *event = args->request;
	struct top_row *row;
	__u64 unmapped;

	if (!event)
		return 0;
	row = get_row(event->ctx, event->ioas, false);
	if (!row)
		return 0;
	unmapped = event->unmapped;
	__sync_fetch_and_add(&row->op[OP_UNMAP].amount, unmapped);
	__sync_fetch_and_add(&row->unpinned, event->unpinned);
	/* Mappings of a destroyed IOAS are unmapped without a request. */
	if (row->life.alive <= 0)
		return 0;
	top_count_op(&row->op[OP_UNMAP], event->ret, event->ns);
	if (unmapped)
		count_size(row, OP_UNMAP, unmapped);
	if (event->areas > 1)
		__sync_fetch_and_add(&row->mixed, 1);
	return 0;
}

/* Attached only on demand: see watch_failures() in collect.c. */
SEC("tp/iommufd/iommufd_fail")
int fail(struct trace_event_raw_iommufd_fail *event)
{
	struct top_fail_key key = {
		.tgid = bpf_get_current_pid_tgid() >> 32,
		.reason = event->reason,
	};
	struct top_fail last = { .when_ns = bpf_ktime_get_ns() };
	__u64 none = 0, *count;

	if (is_sizing(event->command, event->ret, event->first))
		return 0;
	last.first = event->first;
	last.second = event->second;
	last.ctx = event->ctx;
	last.uid = bpf_get_current_uid_gid();
	last.command = event->command;
	last.ret = event->ret;
	bpf_core_read(last.policy, sizeof(last.policy), &event->policy);
	get_comm(last.comm);
	/* Before counting, so that all counted failures have a last one. */
	bpf_map_update_elem(&last_failures, &key, &last, BPF_ANY);
	count = bpf_map_lookup_elem(&failures, &key);
	if (!count) {
		/* Another CPU may be adding it, too. */
		bpf_map_update_elem(&failures, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&failures, &key);
	}
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		top_lose();
	return 0;
}
