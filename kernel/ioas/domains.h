/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_DOMAINS_H
#define __IOMMUFD_IOAS_DOMAINS_H

#include <linux/types.h>

struct iommufd_domain;
struct iommufd_ioas;

int iommufd_ioas_add_domain(struct iommufd_ioas *ioas,
			    struct iommufd_domain *domain);
void iommufd_ioas_remove_domain(struct iommufd_ioas *ioas,
				struct iommufd_domain *domain);
int iommufd_ioas_check_alignment(struct iommufd_ioas *ioas,
				 unsigned long alignment);
void iommufd_ioas_update_alignment(struct iommufd_ioas *ioas);
int iommufd_ioas_set_large_pages(struct iommufd_ioas *ioas, bool enable);

#endif
