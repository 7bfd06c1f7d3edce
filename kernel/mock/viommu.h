/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_VIOMMU_H
#define __IOMMUFD_MOCK_VIOMMU_H

#include <linux/iommufd.h>

struct device;
struct iommu_domain;
struct iommu_user_data;
struct iommufd_ucmd;
struct mock_viommu;

size_t mock_viommu_size(struct device *dev, enum iommu_viommu_type type);
int mock_viommu_init(struct iommufd_viommu *viommu,
		     struct iommu_domain *parent,
		     const struct iommu_user_data *user_data);
int mock_viommu_check(struct mock_viommu *viommu, struct device *dev);

/* Operation of the test ioctl, see iommufd_test.h. */
int mock_viommu_trigger(struct iommufd_ucmd *ucmd);

#endif
