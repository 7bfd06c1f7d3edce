/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_SLOT_H
#define __IOMMUFD_MOCK_SLOT_H

#include <linux/types.h>

struct iommufd_ctx;
struct iommufd_device;
struct iommufd_ucmd;

struct iommufd_device *mock_idev_get(struct iommufd_ctx *ctx, u32 id);

/* Operations of the test ioctl, see iommufd_test.h. */
int mock_slot_create(struct iommufd_ucmd *ucmd);
int mock_slot_replace(struct iommufd_ucmd *ucmd);
int mock_slot_pasid_attach(struct iommufd_ucmd *ucmd);
int mock_slot_pasid_replace(struct iommufd_ucmd *ucmd);
int mock_slot_pasid_detach(struct iommufd_ucmd *ucmd);
int mock_slot_pasid_check(struct iommufd_ucmd *ucmd);

#endif
