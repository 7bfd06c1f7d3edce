// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI doorbells for IOMMUs that translate writes to them, such as the Arm SMMU.
 * A doorbell gets a page of the window that the IOMMU driver reserves for this.
 * It has the same IOVA in all page tables of a context.
 *
 * A doorbell is mapped into the page tables to which a group that uses it is
 * attached, and only while it is attached: the window is reserved in the IOAS
 * only for that time.
 */
#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "builtin/doorbell.h"
#include "core/ctx.h"
#include "domain/domain.h"
#include "domain/handle.h"

/**
 * struct doorbell - an MSI doorbell in a context
 * @list: link in &iommufd_ctx.doorbells
 * @phys: its physical address, page aligned
 * @iova: the address of its page in the window
 * @window: start of the window
 * @index: its bit in the bitmaps of groups and page tables
 */
struct doorbell {
	struct list_head list;
	phys_addr_t phys;
	unsigned long iova;
	phys_addr_t window;
	unsigned int index;
};

static struct doorbell *get_doorbell(struct iommufd_ctx *ctx,
				     const struct iommufd_msi_window *window,
				     phys_addr_t phys)
{
	struct doorbell *doorbell;
	unsigned int index = 0;
	size_t used = 0;

	lockdep_assert_held(&ctx->doorbells_lock);

	list_for_each_entry(doorbell, &ctx->doorbells, list) {
		index++;
		if (doorbell->window != window->start)
			continue;
		if (doorbell->phys == phys)
			return doorbell;
		used += PAGE_SIZE;
	}
	if (index == IOMMUFD_DOORBELLS || window->length < PAGE_SIZE ||
	    used > window->length - PAGE_SIZE)
		return ERR_PTR(-EOVERFLOW);
	doorbell = kzalloc_obj(*doorbell, GFP_KERNEL_ACCOUNT);
	if (!doorbell)
		return ERR_PTR(-ENOMEM);
	doorbell->phys = phys;
	doorbell->iova = window->start + used;
	doorbell->window = window->start;
	doorbell->index = index;
	list_add_tail(&doorbell->list, &ctx->doorbells);
	return doorbell;
}

static int map_into(struct iommufd_domain *domain,
		    const struct doorbell *doorbell)
{
	int ret;

	if (test_bit(doorbell->index, domain->doorbells))
		return 0;
	/*
	 * The window is reserved in the IOAS, so nothing else is mapped there.
	 */
	ret = iommu_map(domain->iommu, doorbell->iova, doorbell->phys,
			PAGE_SIZE, IOMMU_READ | IOMMU_WRITE | IOMMU_MMIO,
			GFP_KERNEL_ACCOUNT);
	if (!ret)
		__set_bit(doorbell->index, domain->doorbells);
	return ret;
}

/*
 * Map a doorbell into each page table that the group is attached to or is being
 * attached to: an ongoing replace must not lose the doorbell.
 */
static int map_for_group(struct iommufd_msi *msi,
			 const struct doorbell *doorbell)
{
	struct iommufd_attach_handle *handle;
	int ret;

	lockdep_assert_held(&msi->ctx->doorbells_lock);

	list_for_each_entry(handle, &msi->ctx->msi_handles, msi_node) {
		if (handle->msi != msi)
			continue;
		ret = map_into(handle->domain, doorbell);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * iommufd_doorbell_map - make a doorbell reachable for a group
 * @msi: the doorbells of the group, whose IOMMU translates doorbells
 * @msi_addr: physical address of the doorbell
 * @iova: set to the address of its page
 *
 * Context: Process context. May sleep. Takes doorbells_lock.
 *
 * Return: 0, -EOVERFLOW if there are more doorbells than pages in the window,
 * -ENOMEM, or the errno of the IOMMU driver.
 */
int iommufd_doorbell_map(struct iommufd_msi *msi, phys_addr_t msi_addr,
			 unsigned long *iova)
{
	struct iommufd_ctx *ctx = msi->ctx;
	struct doorbell *doorbell;
	int ret;

	mutex_lock(&ctx->doorbells_lock);
	doorbell = get_doorbell(ctx, &msi->window,
				ALIGN_DOWN(msi_addr, PAGE_SIZE));
	ret = PTR_ERR_OR_ZERO(doorbell);
	if (!ret)
		ret = map_for_group(msi, doorbell);
	if (!ret) {
		__set_bit(doorbell->index, msi->doorbells);
		*iova = doorbell->iova;
	}
	mutex_unlock(&ctx->doorbells_lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_doorbell_map);

/* Check if any group that is attached to a page table uses a doorbell. */
static bool is_used(struct iommufd_ctx *ctx, struct iommufd_domain *domain,
		    const struct doorbell *doorbell)
{
	struct iommufd_attach_handle *handle;

	list_for_each_entry(handle, &ctx->msi_handles, msi_node)
		if (handle->domain == domain &&
		    test_bit(doorbell->index, handle->msi->doorbells))
			return true;
	return false;
}

static void end(struct iommufd_attach_handle *handle)
{
	struct iommufd_domain *domain = handle->domain;
	struct iommufd_ctx *ctx = handle->msi->ctx;
	struct doorbell *doorbell;
	size_t unmapped;

	lockdep_assert_held(&ctx->doorbells_lock);

	list_del_init(&handle->msi_node);
	list_for_each_entry(doorbell, &ctx->doorbells, list) {
		if (!test_bit(doorbell->index, domain->doorbells) ||
		    is_used(ctx, domain, doorbell))
			continue;
		unmapped = iommu_unmap(domain->iommu, doorbell->iova,
				       PAGE_SIZE);
		WARN_ON(unmapped != PAGE_SIZE);
		__clear_bit(doorbell->index, domain->doorbells);
	}
}

/**
 * __iommufd_doorbells_begin - map the doorbells of a group into a page table
 * @handle: the attachment to be made, not of a PASID; the window is already
 *	reserved in the IOAS
 *
 * Called before the group is attached. Interrupts that are already set up keep
 * their addresses; until __iommufd_doorbells_end(), they reach their doorbells
 * through this page table.
 *
 * Context: Process context. May sleep. Takes doorbells_lock.
 *
 * Return: 0 or the errno of the IOMMU driver, in which case nothing has
 * changed.
 */
int __iommufd_doorbells_begin(struct iommufd_attach_handle *handle)
{
	struct iommufd_domain *domain = handle->domain;
	struct iommufd_ctx *ctx = handle->msi->ctx;
	struct doorbell *doorbell;
	int ret = 0;

	mutex_lock(&ctx->doorbells_lock);
	list_add(&handle->msi_node, &ctx->msi_handles);
	list_for_each_entry(doorbell, &ctx->doorbells, list) {
		if (!test_bit(doorbell->index, handle->msi->doorbells))
			continue;
		ret = map_into(domain, doorbell);
		if (ret)
			break;
	}
	if (ret)
		end(handle);
	mutex_unlock(&ctx->doorbells_lock);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(__iommufd_doorbells_begin, "IOMMUFD_INTERNAL");

/**
 * __iommufd_doorbells_end - undo __iommufd_doorbells_begin()
 * @handle: the attachment, which has ended or failed; does nothing without a
 *	matching __iommufd_doorbells_begin()
 *
 * The window must still be reserved in the IOAS.
 *
 * Context: Process context. May sleep. Takes doorbells_lock.
 */
void __iommufd_doorbells_end(struct iommufd_attach_handle *handle)
{
	struct iommufd_ctx *ctx = handle->msi->ctx;

	mutex_lock(&ctx->doorbells_lock);
	if (!list_empty(&handle->msi_node))
		end(handle);
	mutex_unlock(&ctx->doorbells_lock);
}
EXPORT_SYMBOL_NS_GPL(__iommufd_doorbells_end, "IOMMUFD_INTERNAL");

/**
 * __iommufd_doorbells_free - free the doorbells of a context
 * @ctx: the context; it has no page tables any more
 *
 * Context: Process context. The caller is the last user of the context.
 */
void __iommufd_doorbells_free(struct iommufd_ctx *ctx)
{
	struct doorbell *doorbell, *next;

	list_for_each_entry_safe(doorbell, next, &ctx->doorbells, list)
		kfree(doorbell);
}
EXPORT_SYMBOL_NS_GPL(__iommufd_doorbells_free, "IOMMUFD_INTERNAL");
