/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_ACCESS_H
#define __IOMMUFD_MOCK_ACCESS_H

struct iommufd_ucmd;

/* Operations of the test ioctl, see iommufd_test.h. */
int mock_access_create(struct iommufd_ucmd *ucmd);
int mock_access_replace(struct iommufd_ucmd *ucmd);
int mock_access_rw(struct iommufd_ucmd *ucmd);
int mock_access_pin(struct iommufd_ucmd *ucmd);
int mock_access_unpin(struct iommufd_ucmd *ucmd);

#endif
