/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_DMABUF_H
#define __IOMMUFD_MOCK_DMABUF_H

struct iommufd_ucmd;

/* Operations of the test ioctl, see iommufd_test.h. */
int mock_dmabuf_create(struct iommufd_ucmd *ucmd);
int mock_dmabuf_revoke(struct iommufd_ucmd *ucmd);

#endif
