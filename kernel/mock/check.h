/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_CHECK_H
#define __IOMMUFD_MOCK_CHECK_H

struct iommufd_ucmd;

/* Operations of the test ioctl, see iommufd_test.h. */
int mock_check_map(struct iommufd_ucmd *ucmd);
int mock_check_refs(struct iommufd_ucmd *ucmd);
int mock_check_iotlb(struct iommufd_ucmd *ucmd);
int mock_check_cache(struct iommufd_ucmd *ucmd);

#endif
