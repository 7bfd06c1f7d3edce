/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the headers of older series lack. Included ahead of each
 * file of an external module, see external.mk.
 */
#ifndef __IOMMUFD_COMPAT_COMPAT_H
#define __IOMMUFD_COMPAT_COMPAT_H

/* The software IOMMU is for kernels that are built for tests. */
#undef CONFIG_IOMMUFD_TEST

#include <uapi/linux/iommufd.h>

/* Linux 7.2: as in the user API of 7.3. */
#ifndef IOMMU_IOAS_NOIOMMU_GET_PA
#define IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA	0x95

struct iommu_ioas_noiommu_get_pa {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 out_phys;
};

#define IOMMU_IOAS_NOIOMMU_GET_PA \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA)
#endif

#endif
