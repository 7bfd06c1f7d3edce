// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy: automatic page tables are allocated with dirty tracking if the IOMMU
 * has it, so that a guest can be migrated even if its VMM attaches devices to
 * an IOAS. For page tables that a VMM allocates explicitly, the VMM chooses
 * itself. Attach the policy for the cgroup of such guests.
 *
 * An IOMMU marks a whole entry as dirty, however little of it was written. All
 * page tables with dirty tracking therefore get small entries.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "iommufd_policy.h"

char LICENSE[] SEC("license") = "GPL";

/* Bytes of the largest entries, as a power of two; 0 for no limit. */
__u32 max_page_shift = 12;

SEC("struct_ops/hwpt_alloc")
int BPF_PROG(dirty_alloc, struct iommufd_bpf_hwpt *call)
{
	call->add_flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	if ((call->flags | call->can_add) & IOMMU_HWPT_ALLOC_DIRTY_TRACKING)
		call->max_page_shift = max_page_shift;
	return 0;
}

SEC(".struct_ops.link")
struct iommufd_bpf_ops dirty = {
	.hwpt_alloc = (void *)dirty_alloc,
	.name = "dirty",
	.priority = 10,
};
