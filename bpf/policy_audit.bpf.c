// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy: logs everything and refuses nothing. It writes one record for each
 * page table that is allocated, refused or freed, and for each request to
 * invalidate. It has the lowest priority and is called last, so requests that
 * other policies refuse before that are not in its log; attach it with a high
 * priority to log those, too.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "iommufd_policy.h"
#include "policy_audit.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} records SEC(".maps");

/* Records that did not fit. */
__u64 lost;

static struct audit_record *begin(__u32 kind,
				  const struct iommufd_bpf_caller *caller)
{
	struct audit_record *record;

	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__builtin_memset(record, 0, sizeof(*record));
	record->time_ns = bpf_ktime_get_ns();
	record->kind = kind;
	record->tgid = caller->tgid;
	record->uid = caller->uid;
	record->ctx = caller->ctx;
	record->cgroup_id = caller->cgroup_id;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	return record;
}

SEC("struct_ops/hwpt_alloc_done")
void BPF_PROG(audit_alloc_done, struct iommufd_bpf_hwpt *call)
{
	struct audit_record *record = begin(AUDIT_HWPT_ALLOC, &call->caller);

	if (!record)
		return;
	record->object = call->hwpt;
	record->device = call->device;
	record->flags = call->flags;
	record->ret = call->ret;
	record->ns = call->ns;
	bpf_ringbuf_submit(record, 0);
}

SEC("struct_ops/hwpt_free")
void BPF_PROG(audit_free, struct iommufd_bpf_hwpt *call)
{
	struct audit_record *record = begin(AUDIT_HWPT_FREE, &call->caller);

	if (!record)
		return;
	record->object = call->hwpt;
	bpf_ringbuf_submit(record, 0);
}

SEC("struct_ops/hwpt_invalidate_done")
void BPF_PROG(audit_invalidate_done, struct iommufd_bpf_invalidate *call)
{
	struct audit_record *record = begin(AUDIT_INVALIDATE, &call->caller);

	if (!record)
		return;
	record->object = call->object;
	record->asked = call->asked;
	record->handled = call->handled;
	record->ret = call->ret;
	record->ns = call->ns;
	bpf_ringbuf_submit(record, 0);
}

SEC(".struct_ops.link")
struct iommufd_bpf_ops audit = {
	.hwpt_alloc_done = (void *)audit_alloc_done,
	.hwpt_free = (void *)audit_free,
	.hwpt_invalidate_done = (void *)audit_invalidate_done,
	.name = "audit",
	.priority = -1000,
};
