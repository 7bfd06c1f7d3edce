// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends each event of page faults and vIOMMUs: they are rare compared to maps,
 * and each one matters. Some events are in interrupt context or under
 * spinlocks.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"
#include "iommufd_faults.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} records SEC(".maps");

/* Records that did not fit. */
__u64 lost;

static struct faults_record *begin(__u32 kind, __u32 ctx)
{
	struct faults_record *record;

	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return NULL;
	}
	__builtin_memset(record, 0, sizeof(*record));
	record->time_ns = bpf_ktime_get_ns();
	record->kind = kind;
	record->ctx = ctx;
	return record;
}

static int send_ctx(__u32 kind, struct trace_event_raw_iommufd_ctx *event)
{
	struct faults_record *record = begin(kind, event->ctx);

	if (!record)
		return 0;
	record->tgid = event->tgid;
	BPF_CORE_READ_INTO(&record->comm, event, comm);
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tp/iommufd/iommufd_ctx_open")
int ctx_open(struct trace_event_raw_iommufd_ctx *event)
{
	return send_ctx(FAULTS_CTX_OPEN, event);
}

SEC("tp/iommufd/iommufd_ctx_close")
int ctx_close(struct trace_event_raw_iommufd_ctx *event)
{
	return send_ctx(FAULTS_CTX_CLOSE, event);
}

static int send_answer(__u32 kind,
		       struct trace_event_raw_iommufd_fault_answered *event)
{
	struct faults_record *record = begin(kind, event->ctx);

	if (!record)
		return 0;
	record->queue = event->fault;
	record->cookie = event->cookie;
	record->code = event->code;
	record->wait_ns = event->wait_ns;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tp/iommufd/iommufd_fault_respond")
int fault_respond(struct trace_event_raw_iommufd_fault_answered *event)
{
	return send_answer(FAULTS_RESPOND, event);
}

SEC("tp/iommufd/iommufd_fault_abort")
int fault_abort(struct trace_event_raw_iommufd_fault_answered *event)
{
	return send_answer(FAULTS_ABORT, event);
}

SEC("tp/iommufd/iommufd_fault_read")
int fault_read(struct trace_event_raw_iommufd_fault_read *event)
{
	struct faults_record *record = begin(FAULTS_READ, event->ctx);

	if (!record)
		return 0;
	record->queue = event->fault;
	record->cookie = event->cookie;
	record->wait_ns = event->wait_ns;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tp/iommufd/iommufd_fault_report")
int fault_report(struct trace_event_raw_iommufd_fault_report *event)
{
	struct faults_record *record = begin(FAULTS_REPORT, event->ctx);

	if (!record)
		return 0;
	record->queue = event->fault;
	record->cookie = event->cookie;
	record->device = event->device;
	record->pasid = event->pasid;
	record->faults = event->faults;
	record->perm = event->perm;
	record->addr = event->addr;
	record->ret = event->ret;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tp/iommufd/iommufd_vevent")
int vevent(struct trace_event_raw_iommufd_vevent *event)
{
	struct faults_record *record = begin(FAULTS_VEVENT, event->ctx);

	if (!record)
		return 0;
	record->queue = event->veventq;
	record->cookie = event->sequence;
	record->device = event->viommu;
	record->type = event->type;
	record->length = event->length;
	record->lost = event->lost;
	record->ret = event->ret;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

static int send_device(__u32 kind,
		       struct trace_event_raw_iommufd_device_bound *event)
{
	struct faults_record *record;

	if (event->ret)
		return 0;
	record = begin(kind, event->ctx);
	if (!record)
		return 0;
	record->device = event->id;
	BPF_CORE_READ_INTO(&record->name, event, device);
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tp/iommufd/iommufd_device_bind")
int device_bind(struct trace_event_raw_iommufd_device_bound *event)
{
	return send_device(FAULTS_BIND, event);
}

SEC("tp/iommufd/iommufd_device_unbind")
int device_unbind(struct trace_event_raw_iommufd_device_bound *event)
{
	return send_device(FAULTS_UNBIND, event);
}
