/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_IOAS_H
#define __IOMMUFD_IOAS_IOAS_H

#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "core/ctx.h"
#include "core/object.h"
#include "ioas/iova_map.h"
#include "pages/owner.h"

struct device;
struct iommu_iova_range;
struct iommufd_ucmd;

/**
 * struct iommufd_unmap_wait - a task that waits for running unmaps
 * @node: link in &iommufd_ioas.unmap_waits
 * @iova: first address of its range
 * @last: last address
 * @checked: no area below this address is being unmapped
 */
struct iommufd_unmap_wait {
	struct list_head node;
	unsigned long iova;
	unsigned long last;
	unsigned long checked;
};

/**
 * struct iommufd_ioas_counts - statistics of an IOAS
 * @seq: sequence number of the last request that changed the IOAS
 * @mapped: bytes mapped now
 * @areas: areas mapped now
 * @maps: map requests that succeeded
 * @unmaps: unmap requests that unmapped something
 */
struct iommufd_ioas_counts {
	u64 seq;
	u64 mapped;
	u64 areas;
	u64 maps;
	u64 unmaps;
};

/**
 * struct iommufd_ioas - an I/O address space
 * @obj: the object
 * @ctx: its context
 * @accesses: struct iommufd_access by id. Writers hold @accesses_rwsem for
 *	writing and @iova_lock; readers hold either
 * @domains: struct iommufd_domain that mirror the IOAS. Writers hold
 *	@domains_rwsem for writing and @iova_lock; readers hold either
 * @nr_domains: number of @domains and of those being added. While it is not
 *	zero, areas are pinned before they are mapped. Protected by
 *	@domains_rwsem
 * @iovas: the addresses, protected by @iova_lock. An area that is in page
 *	tables is removed from it only with @domains_rwsem held
 * @range_refs: struct iommufd_range_ref, protected by @iova_lock
 * @unmap_waits: struct iommufd_unmap_wait in the order of their arrival,
 *	protected by @iova_lock
 * @counts: statistics. Writers hold @counts_lock and @counts_seq. Readers that
 *	take no lock use @counts_seq for a consistent snapshot
 * @counts_seq: see @counts
 * @pinned: number of pages that areas keep pinned
 * @released: unmaps that wait until calls and drivers release areas
 * @unmapped: tasks that wait until other unmaps have ended
 * @large_pages: page tables may use pages larger than PAGE_SIZE. Writers hold
 *	@domains_rwsem for writing and @iova_lock; readers hold either
 *
 * The locks are taken in the order in which they are declared.
 */
struct iommufd_ioas {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	/**
	 * @auto_lock: serialises devices that look for a compatible automatic
	 * page table or allocate one. The lock of the device's group nests
	 * inside this lock and outside the next one.
	 */
	struct mutex auto_lock;
	/**
	 * @accesses_rwsem: held for reading while drivers are called for an
	 * unmap. Adding or removing an access takes it for writing and thereby
	 * waits for running callbacks.
	 */
	struct rw_semaphore accesses_rwsem;
	struct xarray accesses;
	/**
	 * @domains_rwsem: held for reading while page tables are written, so that
	 * a mapping is added to, or removed from, all domains of the set;
	 * held for writing to change the set, or the contents of a single page
	 * table. Never held across a page fault: it nests inside the pin_lock
	 * of pages.
	 */
	struct rw_semaphore domains_rwsem;
	struct list_head domains;
	unsigned int nr_domains;
	bool large_pages;
	/**
	 * @iova_lock: held for a lookup or an insertion, never while pages are
	 * pinned or page tables are written. Nests inside the lock of pages.
	 */
	struct mutex iova_lock;
	struct iommufd_iova_map iovas;
	struct list_head range_refs;
	struct list_head unmap_waits;
	/**
	 * @counts_lock: a leaf, held for a few instructions. Preemption is
	 * disabled meanwhile, so that readers never spin for long.
	 */
	raw_spinlock_t counts_lock;
	seqcount_t counts_seq;
	struct iommufd_ioas_counts counts;
	atomic_long_t pinned;
	wait_queue_head_t released;
	wait_queue_head_t unmapped;
};

static inline struct iommufd_ioas *to_ioas(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_ioas, obj);
}

static inline struct iommufd_requester
iommufd_ioas_requester(struct iommufd_ioas *ioas)
{
	return (struct iommufd_requester){
		.ctx = ioas->ctx,
		.ioas = ioas->obj.id,
	};
}

struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ctx);
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ctx, u32 id);
struct iommu_iova_range *iommufd_ioas_list_ranges(struct iommufd_ioas *ioas,
						  u32 max, u32 *total,
						  __u64 *alignment);

/**
 * iommufd_ioas_count - count a request that has changed an IOAS
 * @ioas: the IOAS
 * @map: true if the request mapped something, false if it unmapped something
 * @areas: number of areas
 * @bytes: number of bytes
 *
 * A map must be counted before anything can unmap its areas, and an unmap before
 * anything can be mapped at the same addresses.
 *
 * Return: the sequence number of the request.
 */
static inline u64 iommufd_ioas_count(struct iommufd_ioas *ioas, bool map,
				     u64 areas, u64 bytes)
{
	struct iommufd_ioas_counts *counts = &ioas->counts;

	u64 seq;

	raw_spin_lock(&ioas->counts_lock);
	raw_write_seqcount_begin(&ioas->counts_seq);
	seq = ++counts->seq;
	if (map) {
		counts->maps++;
		counts->areas += areas;
		counts->mapped += bytes;
	} else {
		counts->unmaps++;
		counts->areas -= areas;
		counts->mapped -= bytes;
	}
	raw_write_seqcount_end(&ioas->counts_seq);
	raw_spin_unlock(&ioas->counts_lock);
	return seq;
}

void iommufd_ioas_count_split(struct iommufd_ioas *ioas);

int iommufd_ioas_reserve_device(struct iommufd_ioas *ioas, struct device *dev,
				struct iommufd_msi_window *window);
void iommufd_ioas_unreserve_device(struct iommufd_ioas *ioas,
				   struct device *dev);

extern const struct iommufd_object_ops iommufd_ioas_ops;

int iommufd_cmd_ioas_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_allow_iovas(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);

/* ioas/change_process.c */
int iommufd_cmd_ioas_change_process(struct iommufd_ucmd *ucmd);

/* ioas/copy.c */
int iommufd_cmd_ioas_copy(struct iommufd_ucmd *ucmd);

/* ioas/noiommu.c */
int iommufd_cmd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd);

/* ioas/option.c */
int iommufd_cmd_option(struct iommufd_ucmd *ucmd);

#endif
