// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charges pages that were pinned before a policy was attached to that policy.
 *
 * A BPF program walks over all IOAS and calls this for each. Whatever is pinned
 * since the policy was attached is charged to it when it is pinned, so a page
 * that was pinned before and stays pinned is found in the store of its array.
 * The number of its set of links tells if it is charged already, so that it is
 * charged once, however often a walk finds it.
 *
 * A walk takes no lock for longer than an area. A request that begins to use
 * pages while it runs, or later, therefore charges those that the walk may have
 * missed: see charge_missed() in pages/pages.c. All other pages have a user from
 * the begin of the walk to its end, which is in an area that it finds.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/sched/signal.h>

#include "bpf/areas.h"
#include "bpf/late.h"
#include "bpf/policy.h"
#include "ioas/ioas.h"
#include "pages/pages.h"

static long charge_ioas(struct iommufd_ioas *ioas)
{
	struct iommufd_requester requester = iommufd_ioas_requester(ioas);
	unsigned long iova = 0, charged = 0;
	struct iommufd_area_pages area;
	long ret;

	do {
		ret = iommufd_ioas_next_pages(ioas, iova, &area);
		if (ret || !area.pages)
			break;
		ret = iommufd_pages_charge_late(area.pages, area.first,
						area.first + area.npages - 1,
						&requester);
		iommufd_pages_put(area.pages);
		if (ret < 0)
			break;
		charged += ret;
		/* Zero if the area ends at the last address. */
		iova = area.last + 1;
		cond_resched();
	} while (iova);
	return ret < 0 ? ret : charged;
}

__bpf_kfunc_start_defs();

/**
 * bpf_iommufd_charge_pinned - charge the pages of an IOAS that were pinned before
 *	a policy was attached
 * @link: id of the policy's link, as in struct bpf_link_info
 * @ctx: number of the context; it need not exist
 * @ioas: id of the IOAS; it need not exist
 *
 * Calls the charge() of the policy, with @forced set, for all pinned pages that
 * are not charged to this link yet and whose owner is in the cgroup of the
 * policy. They are uncharged like all others.
 *
 * A walk begins with a call for an IOAS that does not exist (0), which only
 * checks @link, and goes on with one call for each IOAS that there is then, in
 * any order. After that, every page that is pinned is charged to the link, once,
 * whatever requests have done in the meantime.
 *
 * Context: Process context, in programs that may sleep. Waits for requests that
 * write page tables, but not for those that wait for page faults.
 *
 * Return: the number of pages that were charged, -ENOENT if the link attaches no
 * policy, -ENOMEM, or -EINTR if the task was killed. On failure, call it again
 * to charge those that were left.
 */
__bpf_kfunc s64 bpf_iommufd_charge_pinned(u32 link, u32 ctx, u32 ioas)
{
	struct iommufd_ioas *found;
	s64 ret;

	ret = iommufd_policy_begin_late(link);
	if (ret || !ioas)
		return ret;
	found = iommufd_ioas_find(ctx, ioas);
	if (!found)
		return 0;
	ret = charge_ioas(found);
	iommufd_ioas_leave(found);
	return ret;
}

__bpf_kfunc_end_defs();
