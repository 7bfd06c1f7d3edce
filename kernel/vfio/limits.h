/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_VFIO_LIMITS_H
#define __IOMMUFD_VFIO_LIMITS_H

#include "ioas/iova_map.h"

/**
 * struct iommufd_vfio_limits - the common limits of all devices of VFIO
 * @iovas: an empty map; what any of them can't use is reserved
 * @page_sizes: page sizes that all of their IOMMUs support
 */
struct iommufd_vfio_limits {
	struct iommufd_iova_map iovas;
	unsigned long page_sizes;
};

int iommufd_vfio_limits_get(struct iommufd_vfio_limits *limits);
void iommufd_vfio_limits_put(struct iommufd_vfio_limits *limits);

#endif
