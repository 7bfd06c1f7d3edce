/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_PAGES_PAGES_H
#define __IOMMUFD_PAGES_PAGES_H

#include <linux/bitops.h>
#include <linux/mutex.h>
#include <linux/refcount.h>

#include "pages/owner.h"
#include "pages/store.h"

struct dma_buf;
struct iommufd_dmabuf;

/**
 * enum iommufd_pages_room - objects that are allocated together with pages
 * @IOMMUFD_ROOM_BLOCK: a struct iommufd_block with one run
 * @IOMMUFD_ROOM_AREA: a struct iommufd_area
 *
 * Most pages have one area and are physically contiguous, so that they need one
 * of each. Pages with more areas or more runs allocate the others.
 */
enum iommufd_pages_room {
	IOMMUFD_ROOM_BLOCK,
	IOMMUFD_ROOM_AREA,
};

/**
 * struct iommufd_pages - an array of pages of one source, shared by areas
 * @refs: references of areas and of running requests
 * @blocks: struct iommufd_block, the PFNs of pinned pages
 * @source: where the pages come from
 * @writable: pages are pinned for writing
 * @start: start of index 0, page aligned. With IOMMUFD_SOURCE_VA a user
 *	address, with IOMMUFD_SOURCE_MEMFD an offset into @file, with
 *	IOMMUFD_SOURCE_DMABUF a physical address
 * @file: with IOMMUFD_SOURCE_MEMFD, the file. This holds a reference on it and,
 *	with @writable, one of its writable mappings
 * @dmabuf: with IOMMUFD_SOURCE_DMABUF, the dma-buf. There are no blocks then,
 *	and nothing is charged
 * @charge_set: number of the set of policies that the request which pins pages
 *	is charged to. Protected by @pin_lock; other threads may help the
 *	request
 * @moving: being moved to another owner. Protected by the process_lock of the
 *	context
 * @owner: owner of the address space of @start, and of the charge. Changed with
 *	both locks held, and never with IOMMUFD_SOURCE_VA
 * @rooms: a bit of enum iommufd_pages_room is set while the room is in use
 * @block_room: memory of IOMMUFD_ROOM_BLOCK
 * @area_room: memory of IOMMUFD_ROOM_AREA
 */
struct iommufd_pages {
	refcount_t refs;
	/**
	 * @pin_lock: serialises requests that pin pages, so that no page is
	 * pinned or charged twice. Held across page faults, which may take
	 * arbitrarily long, so it is always taken killably, and never to unpin.
	 * The holder also holds it for the threads that help it to pin.
	 * mmap_lock and the domains_rwsem of an IOAS nest inside it.
	 */
	struct mutex pin_lock;
	/**
	 * @lock: protects @blocks and the use count of each block. Adding or
	 * splitting blocks requires @pin_lock too. Never held across a page
	 * fault. Held while an area is mapped into page tables. Nests inside
	 * @pin_lock and the locks of the IOAS except iova_lock, see
	 * ioas/ioas.h. A task never holds two of these locks.
	 */
	struct mutex lock;
	struct rb_root_cached blocks;
	enum iommufd_source source;
	bool writable;
	bool moving;
	u16 charge_set;
	unsigned long start;
	union {
		struct file *file;
		struct iommufd_dmabuf *dmabuf;
	};
	struct iommufd_owner owner;
	unsigned long rooms;
	u64 block_room[8];
	u64 area_room[16];
};

static inline struct iommufd_pages *
iommufd_pages_get(struct iommufd_pages *pages)
{
	refcount_inc(&pages->refs);
	return pages;
}

/* Take a room. Returns false if it is in use. */
static inline bool iommufd_pages_take_room(struct iommufd_pages *pages,
					   enum iommufd_pages_room room)
{
	return !test_and_set_bit_lock(room, &pages->rooms);
}

static inline void iommufd_pages_free_room(struct iommufd_pages *pages,
					   enum iommufd_pages_room room)
{
	clear_bit_unlock(room, &pages->rooms);
}

/* Whether the pages are memory with struct pages, which a CPU can access. */
static inline bool iommufd_pages_are_memory(const struct iommufd_pages *pages)
{
	return !IS_ENABLED(CONFIG_DMA_SHARED_BUFFER) ||
	       pages->source != IOMMUFD_SOURCE_DMABUF;
}

struct iommufd_pages *iommufd_pages_from_va(struct iommufd_ctx *ctx,
					    unsigned long uptr, bool writable);
struct iommufd_pages *iommufd_pages_from_memfd(struct iommufd_ctx *ctx,
					       struct file *file,
					       unsigned long start,
					       bool writable);
struct iommufd_pages *iommufd_pages_from_dmabuf(struct iommufd_ctx *ctx,
						struct dma_buf *dma_buf,
						unsigned long start,
						unsigned long length,
						bool writable);
void iommufd_pages_put(struct iommufd_pages *pages);
int iommufd_pages_init(void);
void iommufd_pages_exit(void);

int iommufd_pages_pin(struct iommufd_pages *pages, unsigned long first,
		      unsigned long last,
		      const struct iommufd_requester *requester,
		      unsigned long *pinned);
unsigned long iommufd_pages_count_runs(struct iommufd_pages *pages,
				       unsigned long first, unsigned long last);
unsigned long iommufd_pages_unpin(struct iommufd_pages *pages,
				  unsigned long first, unsigned long last,
				  const struct iommufd_requester *requester);

int iommufd_pages_change_owner(struct iommufd_pages *pages,
			       struct iommufd_owner *owner, bool force,
			       const struct iommufd_requester *requester);
long iommufd_pages_charge_late(struct iommufd_pages *pages, unsigned long first,
			       unsigned long last,
			       const struct iommufd_requester *requester);
int iommufd_pages_split_at(struct iommufd_pages *pages, unsigned long index);

/* pages/rw.c */
int iommufd_pages_rw(struct iommufd_pages *pages, unsigned long offset,
		     void *data, size_t length, unsigned int flags,
		     const struct iommufd_requester *requester);

#endif
