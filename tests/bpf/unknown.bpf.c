// SPDX-License-Identifier: GPL-2.0-only
/* A policy for another kernel, with a member that this kernel does not know. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct iommufd_bpf_ops {
	char name[16];
	__u32 later;
};

SEC(".struct_ops.link")
struct iommufd_bpf_ops unknown = {
	.name = "unknown",
	.later = 1,
};
