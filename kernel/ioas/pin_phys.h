/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_PIN_PHYS_H
#define __IOMMUFD_IOAS_PIN_PHYS_H

#include <linux/types.h>

struct iommufd_ioas;

int iommufd_ioas_pin_phys(struct iommufd_ioas *ioas, unsigned long iova,
			  unsigned long last, phys_addr_t *phys);
void iommufd_ioas_unpin_phys(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last);

#endif
