// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open-coded BPF iterator over the areas of an IOAS, from an address on.
 *
 * Each step takes the lock of the IOAS, finds the next area and copies its
 * data; nothing is held between two steps. Areas that are mapped or unmapped
 * during the iteration may or may not be reported. Those that are reported
 * come in the order of their addresses and do not overlap.
 */
#include <linux/bpf.h>
#include <linux/btf.h>

#include "bpf/area_iter.h"
#include "bpf/areas.h"
#include "bpf/iommufd_bpf.h"

/**
 * struct bpf_iter_iommufd_area - area iterator, on the program's stack
 * @__opaque: private
 */
struct bpf_iter_iommufd_area {
	__u64 __opaque[16];
} __aligned(8);

/**
 * struct area_iter - the contents of struct bpf_iter_iommufd_area
 * @info: the area that was found last
 * @next: address from which on to search
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @begun: an area was found
 * @done: there are no more areas
 */
struct area_iter {
	struct iommufd_area_info info;
	u64 next;
	u32 ctx;
	u32 ioas;
	bool begun;
	bool done;
};

__bpf_kfunc_start_defs();

/**
 * bpf_iter_iommufd_area_new - start iterating over areas of an IOAS
 * @it: the iterator
 * @ctx: number of the context; it need not exist
 * @ioas: id of the IOAS; it need not exist
 * @iova: address to begin at
 *
 * The first area is the one that contains @iova. If no area does, it is the
 * nearest one below @iova, or the lowest one if all are above.
 *
 * Context: Process context, in programs that may sleep.
 *
 * Return: 0
 */
__bpf_kfunc int bpf_iter_iommufd_area_new(struct bpf_iter_iommufd_area *it,
					  u32 ctx, u32 ioas, u64 iova)
{
	struct area_iter *iter = (void *)it;

	static_assert(sizeof(*iter) <= sizeof(*it));
	iter->ctx = ctx;
	iter->ioas = ioas;
	iter->next = iova;
	iter->begun = false;
	iter->done = false;
	return 0;
}

/**
 * bpf_iter_iommufd_area_next - get the next area in the order of addresses
 * @it: the iterator
 *
 * Context: Process context, in programs that may sleep. Takes and releases
 * &iommufd_ioas.iova_lock.
 *
 * Return: A description of the area, which is valid until the next step, or
 * NULL if there are no more areas, the IOAS does not exist, or the task was
 * killed.
 */
__bpf_kfunc struct iommufd_area_info *
bpf_iter_iommufd_area_next(struct bpf_iter_iommufd_area *it)
{
	struct area_iter *iter = (void *)it;
	bool found;

	if (iter->done)
		return NULL;
	if (iter->begun)
		found = iommufd_area_info_from(iter->ctx, iter->ioas,
					       iter->next, &iter->info);
	else
		found = iommufd_area_info_at(iter->ctx, iter->ioas, iter->next,
					     &iter->info);
	if (found) {
		iter->begun = true;
		iter->next = iter->info.iova + iter->info.length;
	}
	/* Zero if the area ends at the last address. */
	iter->done = !found || !iter->next;
	return found ? &iter->info : NULL;
}

/**
 * bpf_iter_iommufd_area_destroy - stop iterating over areas
 * @it: the iterator
 *
 * Context: Any context.
 */
__bpf_kfunc void bpf_iter_iommufd_area_destroy(struct bpf_iter_iommufd_area *it)
{
}

__bpf_kfunc_end_defs();
