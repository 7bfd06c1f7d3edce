/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BUILTIN_DOORBELL_H
#define __IOMMUFD_BUILTIN_DOORBELL_H

#include <linux/kconfig.h>
#include <linux/types.h>

struct iommufd_attach_handle;
struct iommufd_ctx;
struct iommufd_group;

int iommufd_doorbell_map(struct iommufd_group *igroup, phys_addr_t msi_addr,
			 unsigned long *iova);
int __iommufd_doorbells_begin(struct iommufd_attach_handle *handle);
void __iommufd_doorbells_end(struct iommufd_attach_handle *handle);
void __iommufd_doorbells_free(struct iommufd_ctx *ctx);

/* If no IOMMU translates doorbells, only the unit tests use them. */
static inline int iommufd_doorbells_begin(struct iommufd_attach_handle *handle)
{
	return IS_ENABLED(CONFIG_IRQ_MSI_IOMMU) ?
		       __iommufd_doorbells_begin(handle) :
		       0;
}

static inline void iommufd_doorbells_end(struct iommufd_attach_handle *handle)
{
	if (IS_ENABLED(CONFIG_IRQ_MSI_IOMMU))
		__iommufd_doorbells_end(handle);
}

static inline void iommufd_doorbells_free(struct iommufd_ctx *ctx)
{
	if (IS_ENABLED(CONFIG_IRQ_MSI_IOMMU))
		__iommufd_doorbells_free(ctx);
}

#endif
