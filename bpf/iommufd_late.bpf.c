// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charges a policy for the pages that were pinned before it was attached.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_iter.h"
#include "iommufd_late.h"
#include "iommufd_list.h"

char LICENSE[] SEC("license") = "GPL";

static __s64 charge_ctx(__u32 link, __u32 ctx)
{
	struct iommufd_object_info *object;
	struct bpf_iter_iommufd_object it;
	__s64 ret;

	ret = bpf_iter_iommufd_object_new(&it, ctx);
	while (ret >= 0 && (object = bpf_iter_iommufd_object_next(&it)))
		if (object->type == LIST_TYPE_IOAS)
			ret = bpf_iommufd_charge_pinned(link, ctx, object->id);
	bpf_iter_iommufd_object_destroy(&it);
	return ret;
}

/* Returns 0, LATE_NOT_KNOWN or the negative errno of the kernel. */
SEC("syscall")
int charge_pinned(struct late_args *args)
{
	struct bpf_iter_iommufd_ctx it;
	struct iommufd_ctx_info *ctx;
	__u32 link = args->link;
	__s64 ret;

	if (!bpf_ksym_exists(bpf_iommufd_charge_pinned))
		return LATE_NOT_KNOWN;
	/* From here on, requests don't hide pages from the walk. */
	ret = bpf_iommufd_charge_pinned(link, 0, 0);
	bpf_iter_iommufd_ctx_new(&it);
	while (ret >= 0 && (ctx = bpf_iter_iommufd_ctx_next(&it)))
		ret = charge_ctx(link, ctx->ctx);
	bpf_iter_iommufd_ctx_destroy(&it);
	return ret < 0 ? ret : 0;
}
