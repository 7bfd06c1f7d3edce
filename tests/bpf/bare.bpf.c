// SPDX-License-Identifier: GPL-2.0-only
/* A policy that says nothing about anything, attached by link or not. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../../bpf/iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

SEC(".struct_ops.link")
struct iommufd_bpf_ops bare = {
	.name = "bare",
};

SEC(".struct_ops")
struct iommufd_bpf_ops unlinked = {
	.name = "unlinked",
};
