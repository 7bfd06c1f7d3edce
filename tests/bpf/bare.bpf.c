// SPDX-License-Identifier: GPL-2.0-only
/* A policy without a hook, attached by a link or without one. */
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
