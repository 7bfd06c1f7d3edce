/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_DRIVER_H
#define __IOMMUFD_MOCK_DRIVER_H

#include <linux/device.h>
#include <linux/generic_pt/iommu.h>
#include <linux/iommufd.h>
#include <linux/mutex.h>

#include "iommufd_test.h"

struct iommufd_ucmd;

/**
 * struct mock_device - a device behind the software IOMMU
 * @dev: the device, the only one of its IOMMU group
 * @id: number in its name
 * @flags: MOCK_FLAGS_DEVICE_*
 * @cache: entries of a cache that a vIOMMU invalidates. Protected by the
 *	xa_lock of its virtual devices
 * @domains: struct iommu_domain by PASID, as last set by the IOMMU core.
 *	Protected by the mutex of the IOMMU group
 * @own: domain attached at creation, see &mock_knobs.own_domains, or NULL
 * @nr_iopf: number of attachments, with or without a PASID, whose domain
 *	handles page faults. Protected by the mutex of the IOMMU group
 */
struct mock_device {
	struct device dev;
	int id;
	u32 flags;
	u32 cache[MOCK_DEV_CACHE_NUM];
	struct xarray domains;
	struct iommu_domain *own;
	unsigned int nr_iopf;
	/**
	 * @lock: serialises requests that attach, detach or make the device
	 * report something, so that the domain it reports to stays attached.
	 * The locks of iommufd and of the IOMMU core nest inside.
	 */
	struct mutex lock;
	/** @viommu: the vIOMMU of the domain without PASID, or NULL */
	struct mock_viommu *viommu;
};

static inline struct mock_device *to_mock_device(struct device *dev)
{
	return container_of(dev, struct mock_device, dev);
}

/**
 * struct mock_paging - a page table: AMD's version 1 with pages of 2048 bytes
 * @domain: the domain of @table
 * @table: the page table
 * @nest_parent: can be the second stage of others
 * @track_dirty: dirty tracking is enabled
 */
struct mock_paging {
	union {
		struct iommu_domain domain;
		struct pt_iommu_amdv1_mock table;
	};
	bool nest_parent;
	bool track_dirty;
};

PT_IOMMU_CHECK_DOMAIN(struct mock_paging, table.iommu, domain);

/* mock/bus.c */
struct mock_device *mock_device_create(u32 flags);
void mock_device_destroy(struct mock_device *mdev);

/* mock/driver.c */
extern const struct iommu_ops mock_iommu_ops;
struct iommu_device *mock_probe_device(struct device *dev);
int mock_attach_dev(struct iommu_domain *domain, struct device *dev,
		    struct iommu_domain *old);
int mock_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
		       ioasid_t pasid, struct iommu_domain *old);

/* mock/domain.c */
struct iommu_domain *
mock_paging_alloc(struct device *dev, u32 flags,
		  const struct iommu_user_data *user_data);
struct mock_paging *to_mock_paging(struct iommu_domain *domain);

/* mock/fault.c */
void mock_fault_init(void);
void mock_fault_exit(void);

/* mock/dirty.c: operation of the test ioctl */
int mock_dirty(struct iommufd_ucmd *ucmd);

#endif
