/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BUILTIN_DOORBELL_H
#define __IOMMUFD_BUILTIN_DOORBELL_H

#include <linux/types.h>

#include "core/ctx.h"
#include "core/driver_core.h"

struct iommufd_attach_handle;

/**
 * struct iommufd_msi - MSI doorbells of an IOMMU group
 * @ctx: the context of the group
 * @window: where doorbells are mapped
 * @doorbells: doorbells that its interrupts use, by &doorbell.index. Protected
 *	by the doorbells_lock of the context
 */
struct iommufd_msi {
	struct iommufd_ctx *ctx;
	struct iommufd_msi_window window;
	DECLARE_BITMAP(doorbells, IOMMUFD_DOORBELLS);
};

int iommufd_doorbell_map(struct iommufd_msi *msi, phys_addr_t msi_addr,
			 unsigned long *iova);
int __iommufd_doorbells_begin(struct iommufd_attach_handle *handle);
void __iommufd_doorbells_end(struct iommufd_attach_handle *handle);
void __iommufd_doorbells_free(struct iommufd_ctx *ctx);

/* If no IOMMU translates doorbells, only the unit tests use them. */
static inline int iommufd_doorbells_begin(struct iommufd_attach_handle *handle)
{
	return iommufd_maps_doorbells() ? __iommufd_doorbells_begin(handle) : 0;
}

static inline void iommufd_doorbells_end(struct iommufd_attach_handle *handle)
{
	if (iommufd_maps_doorbells())
		__iommufd_doorbells_end(handle);
}

static inline void iommufd_doorbells_free(struct iommufd_ctx *ctx)
{
	if (iommufd_maps_doorbells())
		__iommufd_doorbells_free(ctx);
}

#endif
