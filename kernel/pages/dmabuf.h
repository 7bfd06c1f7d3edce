/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_PAGES_DMABUF_H
#define __IOMMUFD_PAGES_DMABUF_H

#include <linux/err.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct dma_buf;
struct dma_buf_attachment;

/**
 * struct iommufd_dmabuf - device memory of a dma-buf
 * @attachment: attachment to the dma-buf, on which this has a reference
 * @mappings: where page tables map it, see domain/dmabuf.c
 * @revoked: revoked by its exporter; it will not be mapped again
 *
 * Everything but @attachment is protected by the dma_resv lock of the dma-buf,
 * which the exporter holds when it revokes the dma-buf. That lock nests inside
 * mmap_lock, and so inside all locks that are held while user memory is pinned.
 * No lock is taken inside it except those of page tables.
 */
struct iommufd_dmabuf {
	struct dma_buf_attachment *attachment;
	struct rb_root mappings;
	bool revoked;
};

/*
 * Without CONFIG_DMA_SHARED_BUFFER, dma-bufs do not exist. The compiler then
 * removes all calls of the functions below, see iommufd_pages_are_memory().
 */
#ifdef CONFIG_DMA_SHARED_BUFFER
struct iommufd_dmabuf *iommufd_dmabuf_attach(struct dma_buf *dma_buf,
					     unsigned long start,
					     unsigned long length,
					     phys_addr_t *phys);
#else
static inline struct iommufd_dmabuf *
iommufd_dmabuf_attach(struct dma_buf *dma_buf, unsigned long start,
		      unsigned long length, phys_addr_t *phys)
{
	return ERR_PTR(-EOPNOTSUPP);
}
#endif
void iommufd_dmabuf_detach(struct iommufd_dmabuf *dmabuf);

void iommufd_dmabuf_lock(struct iommufd_dmabuf *dmabuf);
int iommufd_dmabuf_lock_killable(struct iommufd_dmabuf *dmabuf);
void iommufd_dmabuf_unlock(struct iommufd_dmabuf *dmabuf);
int iommufd_dmabuf_wait(struct iommufd_dmabuf *dmabuf);
int iommufd_dmabuf_check(struct iommufd_dmabuf *dmabuf);

/* domain/dmabuf.c */
void iommufd_dmabuf_unmap_all(struct iommufd_dmabuf *dmabuf);

#endif
