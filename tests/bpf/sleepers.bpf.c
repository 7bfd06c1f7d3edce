// SPDX-License-Identifier: GPL-2.0-only
/* Sleepable programs where that is not allowed: one is loaded at a time. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../../bpf/iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

SEC("?struct_ops.s/charge")
int BPF_PROG(slow_charge, struct iommufd_bpf_charge *call)
{
	return 0;
}

SEC("?.struct_ops.link")
struct iommufd_bpf_ops charges = {
	.charge = (void *)slow_charge,
	.name = "charges",
};

SEC("?struct_ops.s/uncharge")
void BPF_PROG(slow_uncharge, struct iommufd_bpf_charge *call)
{
}

SEC("?.struct_ops.link")
struct iommufd_bpf_ops uncharges = {
	.uncharge = (void *)slow_uncharge,
	.name = "uncharges",
};
