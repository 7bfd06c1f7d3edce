/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DOMAIN_DMABUF_H
#define __IOMMUFD_DOMAIN_DMABUF_H

struct iommufd_area;
struct iommufd_domain;

int iommufd_domain_map_dmabuf(struct iommufd_domain *domain,
			      struct iommufd_area *area);
void iommufd_domain_unmap_dmabuf(struct iommufd_domain *domain,
				 struct iommufd_area *area);

#endif
