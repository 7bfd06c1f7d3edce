// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU drivers offer pages of the hardware, which user space can map, see
 * core/mmap.c.
 */
#include <linux/export.h>
#include <linux/iommufd.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "core/ctx.h"
#include "core/mmap.h"

/* Choose the lowest free offset in the file; 0 is never used. */
static int place_mmap(struct iommufd_ctx *ctx, struct iommufd_mmap *new)
{
	unsigned long offset = PAGE_SIZE, last;
	struct iommufd_mmap *each;

	lockdep_assert_held(&ctx->mmaps_lock);

	list_for_each_entry(each, &ctx->mmaps, node) {
		if (each->offset - offset >= new->length)
			break;
		offset = each->offset + each->length;
	}
	if (check_add_overflow(offset, new->length, &last))
		return -ENOSPC;
	new->offset = offset;
	/* Insert before the next one, or at the end. */
	list_add_tail(&new->node, &each->node);
	return 0;
}

/**
 * _iommufd_alloc_mmap - let user space map hardware pages of an object
 * @ictx: the context
 * @owner: the object, which can't be destroyed while they are mapped
 * @mmio_addr: physical address of the pages
 * @length: bytes
 * @offset: set to the offset that user space passes to mmap()
 *
 * User space can't map the pages before the object is published. Undo with
 * _iommufd_destroy_mmap().
 *
 * Context: Process context. May sleep.
 *
 * Return: 0, -EINVAL if the range does not consist of whole pages, -ENOSPC or
 * -ENOMEM.
 */
int _iommufd_alloc_mmap(struct iommufd_ctx *ictx, struct iommufd_object *owner,
			phys_addr_t mmio_addr, size_t length,
			unsigned long *offset)
{
	struct iommufd_mmap *new;
	int ret;

	if (WARN_ON_ONCE(!length ||
			 !PAGE_ALIGNED(mmio_addr) || !PAGE_ALIGNED(length)))
		return -EINVAL;
	new = kzalloc_obj(*new, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->owner = owner;
	new->phys = mmio_addr;
	new->length = length;

	mutex_lock(&ictx->mmaps_lock);
	ret = place_mmap(ictx, new);
	mutex_unlock(&ictx->mmaps_lock);
	if (ret)
		kfree(new);
	else
		*offset = new->offset;
	return ret;
}
EXPORT_SYMBOL_NS_GPL(_iommufd_alloc_mmap, "IOMMUFD");

/**
 * _iommufd_destroy_mmap - undo _iommufd_alloc_mmap()
 * @ictx: the context
 * @owner: the object, not published or being destroyed
 * @offset: the offset that _iommufd_alloc_mmap() has set
 *
 * Context: Process context. May sleep. Never fails.
 */
void _iommufd_destroy_mmap(struct iommufd_ctx *ictx,
			   struct iommufd_object *owner, unsigned long offset)
{
	struct iommufd_mmap *each, *found = NULL;

	mutex_lock(&ictx->mmaps_lock);
	list_for_each_entry(each, &ictx->mmaps, node)
		if (each->offset == offset && each->owner == owner)
			found = each;
	if (!WARN_ON(!found))
		list_del(&found->node);
	mutex_unlock(&ictx->mmaps_lock);
	kfree(found);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_destroy_mmap, "IOMMUFD");
