// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "../lib/loop.h"
#include "../lib/tool.h"
#include "iommufd_history.skel.h"
#include "history.h"

/**
 * struct history - the programs, and their rings in memory
 * @begin_ns: when they were attached
 */
struct history {
	struct iommufd_history *bpf;
	__u64 begin_ns;
	__u32 size;
	const struct history_unmap *unmaps;
	const struct history_attach *attaches;
};

/* Only the programs for this source. */
static void choose(struct iommufd_history *bpf, enum source_kind kind)
{
	bool ours = kind == SOURCE_OURS;
	struct bpf_program *programs[] = {
		bpf->progs.ioas_unmap,
		bpf->progs.device_attach,
		bpf->progs.device_replace,
		bpf->progs.device_detach,
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		bpf_program__set_autoload(programs[i], ours);
	bpf_program__set_autoload(bpf->progs.ioctl_enter, !ours);
	bpf_program__set_autoload(bpf->progs.ioctl_exit, !ours);
}

static size_t ring_size(const struct bpf_map *map)
{
	size_t page = getpagesize(), size;

	/* As the kernel stores arrays. */
	size = ((size_t)bpf_map__value_size(map) + 7) / 8 * 8 *
	       bpf_map__max_entries(map);
	return (size + page - 1) / page * page;
}

static const void *map_ring(const struct bpf_map *map)
{
	void *ring = mmap(NULL, ring_size(map), PROT_READ, MAP_SHARED,
			  bpf_map__fd(map), 0);

	return ring == MAP_FAILED ? NULL : ring;
}

/* Returns 0 or a negative errno. */
static int start(struct history *history, enum source_kind kind)
{
	struct iommufd_history *bpf = iommufd_history__open();
	int err;

	if (!bpf)
		return -errno;
	history->bpf = bpf;
	choose(bpf, kind);
	bpf->rodata->size = history->size;
	bpf->rodata->container_number = source_device("vfio");
	bpf->rodata->iommu_number = source_device("iommu");
	bpf_map__set_max_entries(bpf->maps.unmaps, history->size);
	err = iommufd_history__load(bpf);
	if (err)
		return err;
	history->unmaps = map_ring(bpf->maps.unmaps);
	history->attaches = map_ring(bpf->maps.attaches);
	if (!history->unmaps || !history->attaches)
		return -errno;
	err = iommufd_history__attach(bpf);
	history->begin_ns = loop_clock(CLOCK_MONOTONIC);
	return err;
}

struct history *history_open(enum source_kind kind, __u32 size)
{
	struct history *history = tool_memory(calloc(1, sizeof(*history)));
	int err;

	history->size = size;
	err = start(history, kind);
	if (!err)
		return history;
	tool_refused(-err);
	history_close(history);
	return NULL;
}

void history_close(struct history *history)
{
	if (!history)
		return;
	if (history->unmaps)
		munmap((void *)history->unmaps,
		       ring_size(history->bpf->maps.unmaps));
	if (history->attaches)
		munmap((void *)history->attaches,
		       ring_size(history->bpf->maps.attaches));
	iommufd_history__destroy(history->bpf);
	free(history);
}

/*
 * Copies the entry with a number, which is its first member; false if it is not
 * there, or not complete.
 */
static bool copy(void *to, const void *ring, size_t entry_size, __u64 entries,
		 __u64 number)
{
	const __u64 *from = (const void *)((const char *)ring +
					   (number - 1) % entries * entry_size);

	if (__atomic_load_n(from, __ATOMIC_ACQUIRE) != number)
		return false;
	memcpy(to, from, entry_size);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(from, __ATOMIC_RELAXED) == number;
}

static bool copy_unmap(struct history_unmap *to, const struct history *history,
		       __u64 number)
{
	return copy(to, history->unmaps, sizeof(*to), history->size, number);
}

static bool copy_attach(struct history_attach *to,
			const struct history *history, __u64 number)
{
	return copy(to, history->attaches, sizeof(*to), HISTORY_ATTACHES,
		    number);
}

__u64 history_reach_ns(const struct history *history)
{
	__u64 last = history->bpf->bss->nr_unmaps, since = history->begin_ns;
	__u64 now = loop_clock(CLOCK_MONOTONIC);
	struct history_unmap oldest;

	/* The oldest ones may be overwritten right now. */
	for (__u64 n = last > history->size ? last - history->size + 1 : 0;
	     n && n <= last; n++) {
		if (!copy_unmap(&oldest, history, n))
			continue;
		since = oldest.time_ns;
		break;
	}
	return now - since;
}

/* The number before @number, or 0 if its entry has been overwritten. */
static __u64 before(__u64 number, __u64 last, __u64 size)
{
	return number > 1 && last - number + 1 < size ? number - 1 : 0;
}

static bool includes(const struct history_unmap *unmap, __u64 iova)
{
	return iova >= unmap->iova && iova - unmap->iova < unmap->length;
}

/* An event tells the context, a system call the process. */
static bool is_of(const struct history_unmap *unmap, __u32 ctx, __u32 ioas,
		  __u32 tgid)
{
	if (unmap->ctx)
		return unmap->ctx == ctx && unmap->ioas == ioas;
	return unmap->tgid == tgid && (!unmap->ioas || unmap->ioas == ioas);
}

bool history_find_unmap(const struct history *history, __u32 ctx, __u32 ioas,
			__u32 tgid, __u64 iova, struct history_unmap *unmap)
{
	__u64 last = history->bpf->bss->nr_unmaps;

	for (__u64 n = last; n; n = before(n, last, history->size))
		if (copy_unmap(unmap, history, n) &&
		    is_of(unmap, ctx, ioas, tgid) && includes(unmap, iova))
			return true;
	return false;
}

bool history_find_attach(const struct history *history, const char *device,
			 __u32 pasid, struct history_attach *attach)
{
	__u64 last = history->bpf->bss->nr_attaches;

	for (__u64 n = last; n; n = before(n, last, HISTORY_ATTACHES))
		if (copy_attach(attach, history, n) && attach->pasid == pasid &&
		    !strncmp(attach->device, device, HISTORY_DEVICE_LEN - 1))
			return true;
	return false;
}
