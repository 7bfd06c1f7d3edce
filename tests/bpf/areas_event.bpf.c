// SPDX-License-Identifier: GPL-2.0-only
/* Lists areas from an event, which may fire under any lock: this is refused. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../../bpf/iommufd_iter.h"

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/iommufd_object_create")
int BPF_PROG(areas_of_event)
{
	struct bpf_iter_iommufd_area it;

	bpf_iter_iommufd_area_new(&it, 1, 1, 0);
	bpf_iter_iommufd_area_next(&it);
	bpf_iter_iommufd_area_destroy(&it);
	return 0;
}
