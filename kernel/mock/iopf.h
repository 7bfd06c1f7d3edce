/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_IOPF_H
#define __IOMMUFD_MOCK_IOPF_H

struct iommu_domain;
struct iommufd_ucmd;
struct mock_device;

int mock_iopf_init(void);
void mock_iopf_exit(void);
int mock_iopf_replace(struct mock_device *mdev, struct iommu_domain *domain,
		      struct iommu_domain *old);

/* Operation of the test ioctl, see iommufd_test.h. */
int mock_iopf_trigger(struct iommufd_ucmd *ucmd);

#endif
