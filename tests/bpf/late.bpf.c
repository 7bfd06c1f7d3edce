// SPDX-License-Identifier: GPL-2.0-only
/* Charges a policy for one IOAS, as a step of the walk of iommufd_late.bpf.c. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../../bpf/iommufd_iter.h"

char LICENSE[] SEC("license") = "GPL";

struct step_args {
	__u32 link;
	__u32 ctx;
	__u32 ioas;
};

/* Returns the number of pages, or a negative errno. */
SEC("syscall")
int charge_step(struct step_args *args)
{
	__u32 link = args->link, ctx = args->ctx, ioas = args->ioas;

	return bpf_iommufd_charge_pinned(link, ctx, ioas);
}
