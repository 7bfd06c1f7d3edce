// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps dma-bufs into page tables. Each dma-buf records where it is mapped, so
 * that it can be unmapped when its exporter revokes it, which may happen during
 * any operation on the IOAS.
 */
#include <linux/iommu.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "domain/area.h"
#include "domain/dmabuf.h"
#include "domain/domain.h"
#include "pages/dmabuf.h"
#include "pages/pages.h"
#include "trace/fail.h"

/**
 * struct dmabuf_mapping - a mapping of a dma-buf in a page table
 * @rb: node of &iommufd_dmabuf.mappings, ordered by @domain, then by @iova
 * @domain: the page table
 * @iova: first address
 * @length: bytes
 *
 * Protected by the lock of the dma-buf.
 */
struct dmabuf_mapping {
	struct rb_node rb;
	struct iommu_domain *domain;
	unsigned long iova;
	unsigned long length;
};

static struct dmabuf_mapping *to_mapping(const struct rb_node *node)
{
	return rb_entry(node, struct dmabuf_mapping, rb);
}

static int compare(const struct dmabuf_mapping *a,
		   const struct dmabuf_mapping *b)
{
	return cmp_int((uintptr_t)a->domain, (uintptr_t)b->domain) ?:
	       cmp_int(a->iova, b->iova);
}

static bool is_before(struct rb_node *a, const struct rb_node *b)
{
	return compare(to_mapping(a), to_mapping(b)) < 0;
}

static int compare_key(const void *key, const struct rb_node *node)
{
	return compare(key, to_mapping(node));
}

/* Flushes the IOTLB: once unlocked, the exporter may reuse the range. */
static void unmap_and_free(struct dmabuf_mapping *mapping)
{
	size_t unmapped;

	unmapped = iommu_unmap(mapping->domain, mapping->iova, mapping->length);
	WARN_ON(unmapped != mapping->length);
	kfree(mapping);
}

/**
 * iommufd_dmabuf_unmap_all - unmap a dma-buf from all page tables
 * @dmabuf: the dma-buf
 *
 * When this returns, no DMA reaches the dma-buf any more.
 *
 * Context: The caller must hold the lock of @dmabuf.
 */
void iommufd_dmabuf_unmap_all(struct iommufd_dmabuf *dmabuf)
{
	struct dmabuf_mapping *mapping, *next;

	rbtree_postorder_for_each_entry_safe(mapping, next, &dmabuf->mappings,
					     rb)
		unmap_and_free(mapping);
	dmabuf->mappings = RB_ROOT;
}

/**
 * iommufd_domain_map_dmabuf - map an area of a dma-buf
 * @domain: the domain
 * @area: the area
 *
 * If the dma-buf is revoked, this maps nothing and succeeds.
 *
 * Return: 0, -ENOMEM, -EINTR if the caller was killed, or the errno of the
 * IOMMU driver.
 */
int iommufd_domain_map_dmabuf(struct iommufd_domain *domain,
			      struct iommufd_area *area)
{
	struct iommufd_dmabuf *dmabuf = area->pages->dmabuf;
	struct dmabuf_mapping *mapping;
	int ret;

	mapping = kzalloc_obj(*mapping, GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	mapping->domain = domain->iommu;
	mapping->iova = area->iova;
	mapping->length = iommufd_area_length(area);

	ret = iommufd_dmabuf_lock_killable(dmabuf);
	if (ret)
		goto free;
	if (dmabuf->revoked)
		goto unlock;
	ret = iommufd_domain_map_run(domain, area->iova,
				     area->pages->start + area->offset,
				     mapping->length, area->prot);
	if (ret) {
		iommufd_fail_driver(ret);
		goto unlock;
	}
	rb_add(&mapping->rb, &dmabuf->mappings, is_before);
	mapping = NULL;
unlock:
	iommufd_dmabuf_unlock(dmabuf);
free:
	kfree(mapping);
	return ret;
}

/**
 * iommufd_domain_unmap_dmabuf - unmap an area of a dma-buf
 * @domain: the domain; the range is flushed from the IOTLB
 * @area: the area
 */
void iommufd_domain_unmap_dmabuf(struct iommufd_domain *domain,
				 struct iommufd_area *area)
{
	const struct dmabuf_mapping key = {
		.domain = domain->iommu,
		.iova = area->iova,
	};
	struct iommufd_dmabuf *dmabuf = area->pages->dmabuf;
	struct rb_node *node;

	iommufd_dmabuf_lock(dmabuf);
	node = rb_find(&key, &dmabuf->mappings, compare_key);
	if (node) {
		rb_erase(node, &dmabuf->mappings);
		unmap_and_free(to_mapping(node));
	}
	iommufd_dmabuf_unlock(dmabuf);
}
