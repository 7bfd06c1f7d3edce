/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_IOAS_H
#define __IOMMUFD_IOAS_IOAS_H

#include <linux/mutex.h>
#include <linux/rwsem.h>

#include "core/ctx.h"
#include "core/object.h"
#include "ioas/space.h"
#include "pages/owner.h"

struct iommufd_hwpt_paging;

/**
 * struct iommufd_ioas - an I/O address space
 * @obj: the object
 * @ctx: its context
 * @hwpts: struct iommufd_hwpt_paging, protected by @hwpts_rwsem
 * @space: the addresses. Its areas and their state are protected by @space_lock,
 *	what is reserved or allowed by @hwpts_rwsem held for writing
 * @large_pages: page tables may use pages larger than PAGE_SIZE. Protected by
 *	@hwpts_rwsem
 *
 * The locks are taken in the order in which they stand here.
 */
struct iommufd_ioas {
	struct iommufd_object obj;
	struct iommufd_ctx *ctx;
	/**
	 * @auto_lock: one device at a time looks for an automatic page table
	 * that fits it, or makes a new one. The lock of the device's group
	 * comes between this one and the next.
	 */
	struct mutex auto_lock;
	/**
	 * @hwpts_rwsem: who maps or unmaps holds it for reading from the choice
	 * of the address to the end, so that all page tables of the set get the
	 * mapping; who changes the set holds it for writing and so has all
	 * areas to himself.
	 */
	struct rw_semaphore hwpts_rwsem;
	struct list_head hwpts;
	bool large_pages;
	/**
	 * @unmap_lock: one unmap at a time, so that an unmap which finds
	 * nothing more to do knows that nothing is mapped any more. The lock of
	 * pages is taken inside it.
	 */
	struct mutex unmap_lock;
	/**
	 * @space_lock: held for a look-up or an insertion, never while pages
	 * are pinned or page tables are written. Not needed by who has
	 * @hwpts_rwsem for writing.
	 */
	struct mutex space_lock;
	struct iommufd_space space;
};

static inline struct iommufd_ioas *to_ioas(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_ioas, obj);
}

static inline struct iommufd_requester
iommufd_ioas_requester(struct iommufd_ioas *ioas)
{
	return (struct iommufd_requester){
		.ctx = ioas->ctx->number,
		.ioas = ioas->obj.id,
	};
}

struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ctx, u32 id);

struct iommufd_area *iommufd_area_alloc(struct iommufd_pages *pages,
					unsigned long offset,
					unsigned long length, u32 flags);
void iommufd_area_free(struct iommufd_area *area);
void iommufd_areas_free(struct list_head *areas);

int iommufd_ioas_map_areas(struct iommufd_ioas *ioas, struct list_head *areas,
			   unsigned long *iova, u32 flags,
			   struct iommufd_map_stats *stats);

#define IOMMUFD_MAP_PROTS \
	(IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)
int iommufd_map_check(u32 flags, u64 iova, u64 length);
int iommufd_ioas_unmap_range(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last, unsigned long *unmapped,
			     struct iommufd_unmap_stats *stats);
void iommufd_ioas_unmap_all(struct iommufd_ioas *ioas);

/* ioas/map.c, with hwpts_rwsem held for writing */
int iommufd_ioas_add_hwpt(struct iommufd_ioas *ioas,
			  struct iommufd_hwpt_paging *hwpt);
void iommufd_ioas_remove_hwpt(struct iommufd_ioas *ioas,
			      struct iommufd_hwpt_paging *hwpt);

int iommufd_ioas_set_large_pages(struct iommufd_ioas *ioas, bool enable);

int iommufd_ioas_reserve_device(struct iommufd_ioas *ioas, struct device *dev);
void iommufd_ioas_unreserve_device(struct iommufd_ioas *ioas,
				   struct device *dev);

#endif
