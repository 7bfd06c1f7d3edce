/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_IOAS_H
#define __IOMMUFD_IOAS_IOAS_H

#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "core/ctx.h"
#include "core/object.h"
#include "ioas/space.h"
#include "pages/owner.h"

struct iommufd_access;
struct iommufd_domain;
struct iommufd_ucmd;

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
 *	writing and @space_lock; readers hold either
 * @domains: struct iommufd_domain that mirror the IOAS. Writers hold
 *	@domains_rwsem for writing and @space_lock; readers hold either
 * @nr_domains: number of @domains and of those being added. While it is not
 *	zero, areas are pinned before they are mapped. Protected by
 *	@domains_rwsem
 * @space: the addresses, protected by @space_lock. An area that is in page
 *	tables is removed from it only with @domains_rwsem held
 * @holds: struct iommufd_hold, protected by @space_lock
 * @counts: statistics. Writers hold @space_lock and @counts_seq. Readers that
 *	take no lock use @counts_seq for a consistent snapshot
 * @counts_seq: protects @counts. Writers disable preemption so that readers
 *	never spin for long
 * @pinned: number of pages that areas keep pinned
 * @released: unmaps that wait until calls and drivers release areas
 * @large_pages: page tables may use pages larger than PAGE_SIZE. Writers hold
 *	@domains_rwsem for writing and @space_lock; readers hold either
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
	 * @unmap_lock: serialises unmaps, so that an unmap that finds nothing
	 * left to do knows that nothing is mapped any more. Held while drivers
	 * are called for an unmap and until they have unpinned their pages.
	 * No function that these drivers may call takes it.
	 */
	struct mutex unmap_lock;
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
	 * @space_lock: held for a lookup or an insertion, never while pages are
	 * pinned or page tables are written. Nests inside the lock of pages.
	 */
	struct mutex space_lock;
	struct iommufd_space space;
	struct list_head holds;
	seqcount_t counts_seq;
	struct iommufd_ioas_counts counts;
	atomic_long_t pinned;
	wait_queue_head_t released;
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

u64 iommufd_ioas_count(struct iommufd_ioas *ioas, bool map, u64 areas,
		       u64 bytes);
void iommufd_ioas_count_split(struct iommufd_ioas *ioas);

/* ioas/area.c */
struct iommufd_area *iommufd_area_alloc(struct iommufd_pages *pages,
					unsigned long offset,
					unsigned long length, u32 flags);
void iommufd_area_free(struct iommufd_area *area);
void iommufd_areas_free(struct list_head *areas);
int iommufd_area_pin(struct iommufd_ioas *ioas, struct iommufd_area *area,
		     unsigned long *pinned);
unsigned long iommufd_area_unpin(struct iommufd_ioas *ioas,
				 struct iommufd_area *area);

int iommufd_ioas_map_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			   unsigned long *iova, u32 flags,
			   struct iommufd_map_stats *stats);

int iommufd_ioas_unmap_range(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last, unsigned long *unmapped,
			     struct iommufd_unmap_stats *stats);
void iommufd_ioas_unmap_all(struct iommufd_ioas *ioas);
void iommufd_ioas_undo_map(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long length);
int iommufd_ioas_split(struct iommufd_ioas *ioas, unsigned long iova,
		       unsigned long last);

/* ioas/domains.c */
int iommufd_ioas_add_domain(struct iommufd_ioas *ioas,
			    struct iommufd_domain *domain);
void iommufd_ioas_remove_domain(struct iommufd_ioas *ioas,
				struct iommufd_domain *domain);
int iommufd_ioas_check_alignment(struct iommufd_ioas *ioas,
				 unsigned long alignment);
void iommufd_ioas_update_alignment(struct iommufd_ioas *ioas);
int iommufd_ioas_set_large_pages(struct iommufd_ioas *ioas, bool enable);

/* ioas/pin_phys.c: hardware that accesses memory by its physical address */
int iommufd_ioas_pin_phys(struct iommufd_ioas *ioas, unsigned long iova,
			  unsigned long last, phys_addr_t *phys);
void iommufd_ioas_unpin_phys(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last);

/* ioas/access.c: kernel drivers that use areas */
int iommufd_ioas_add_access(struct iommufd_ioas *ioas,
			    struct iommufd_access *access);
void iommufd_ioas_remove_access(struct iommufd_ioas *ioas,
				struct iommufd_access *access);
int iommufd_ioas_pin(struct iommufd_ioas *ioas, unsigned long iova,
		     unsigned long last, int prot, struct page **out_pages);
void iommufd_ioas_unpin(struct iommufd_ioas *ioas, unsigned long iova,
			unsigned long last);
int iommufd_ioas_rw(struct iommufd_ioas *ioas, unsigned long iova, void *data,
		    size_t length, unsigned int flags);
int iommufd_ioas_evict(struct iommufd_ioas *ioas, struct list_head *areas,
		       struct iommufd_unmap_stats *stats);

int iommufd_ioas_reserve_device(struct iommufd_ioas *ioas, struct device *dev,
				struct iommufd_msi_window *window);
void iommufd_ioas_unreserve_device(struct iommufd_ioas *ioas,
				   struct device *dev);

extern const struct iommufd_object_ops iommufd_ioas_ops;

int iommufd_cmd_ioas_alloc(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_allow_iovas(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_change_process(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_copy(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_map(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_map_file(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd);
int iommufd_cmd_ioas_unmap(struct iommufd_ucmd *ucmd);
int iommufd_cmd_option(struct iommufd_ucmd *ucmd);

#endif
