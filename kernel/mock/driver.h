/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_DRIVER_H
#define __IOMMUFD_MOCK_DRIVER_H

#include <linux/device.h>
#include <linux/generic_pt/iommu.h>
#include <linux/iommufd.h>
#include <linux/mutex.h>

#include "iommufd_test.h"

struct iommufd_ctx;
struct iommufd_object;
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

/**
 * struct mock_nested - the page table of a guest, of which only a TLB exists
 * @domain: the domain
 * @viommu: the vIOMMU it was allocated from, or NULL
 * @iotlb: the TLB
 */
struct mock_nested {
	struct iommu_domain domain;
	struct mock_viommu *viommu;
	u32 iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
};

/* An invalidation of a TLB entry, or of an entry of a device cache. */
union mock_invalidation {
	struct iommu_hwpt_invalidate_selftest hwpt;
	struct iommu_viommu_invalidate_selftest viommu;
};

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

/* mock/slot.c */
struct iommufd_device *mock_idev_get(struct iommufd_ctx *ctx, u32 id);

/* mock/domain.c */
struct iommu_domain *
mock_paging_alloc(struct device *dev, u32 flags,
		  const struct iommu_user_data *user_data);
struct mock_paging *to_mock_paging(struct iommu_domain *domain);

/* mock/nested.c */
struct iommu_domain *mock_nested_alloc(struct mock_viommu *viommu, u32 flags,
				       const struct iommu_user_data *user_data);
struct mock_nested *to_mock_nested(struct iommu_domain *domain);
int mock_invalidate(struct iommu_user_data_array *array, u32 type, size_t size,
		    int (*one)(void *owner,
			       const union mock_invalidation *entry),
		    void *owner);

/* mock/viommu.c */
size_t mock_viommu_size(struct device *dev, enum iommu_viommu_type type);
int mock_viommu_init(struct iommufd_viommu *viommu,
		     struct iommu_domain *parent,
		     const struct iommu_user_data *user_data);
int mock_viommu_check(struct mock_viommu *viommu, struct device *dev);

/* mock/iopf.c */
int mock_iopf_init(void);
void mock_iopf_exit(void);
int mock_iopf_replace(struct mock_device *mdev, struct iommu_domain *domain,
		      struct iommu_domain *old);

/* mock/fault.c */
void mock_fault_init(void);
void mock_fault_exit(void);

/**
 * struct mock_hold - a point in the driver where a test can block requests
 * @on: requests wait here
 * @held: number of requests that wait
 */
struct mock_hold {
	bool on;
	atomic_t held;
};

/**
 * struct mock_knobs - settings that tests change temporarily, see mock/knobs.c
 * @not_coherent: DMA of the devices bypasses the CPU caches
 * @must_enforce: the IOMMU can enforce cache coherency, but its page tables
 *	can't
 * @can_enforce: both the IOMMU and its page tables can enforce cache coherency
 * @own_domains: new devices have a domain attached, as if by a kernel driver
 *	that does not own their group
 * @large_pages: new page tables support only pages larger than PAGE_SIZE
 * @vdevices: holds requests that create a vDEVICE
 * @pins: holds pin requests of an access after the pages are pinned and before
 *	the driver records that
 * @revokes: holds exporters that revoke a dma-buf while they hold its lock, as
 *	if they waited for fences
 */
struct mock_knobs {
	bool not_coherent;
	bool must_enforce;
	bool can_enforce;
	bool own_domains;
	bool large_pages;
	struct mock_hold vdevices;
	struct mock_hold pins;
	struct mock_hold revokes;
};

/* mock/knobs.c */
extern struct mock_knobs mock_knobs;
void mock_knobs_init(void);
void mock_knobs_exit(void);
int mock_hold(struct mock_hold *hold);

/* Operations of the test ioctl, see iommufd_test.h. */
int mock_slot_create(struct iommufd_ucmd *ucmd);
int mock_slot_replace(struct iommufd_ucmd *ucmd);
int mock_slot_pasid_attach(struct iommufd_ucmd *ucmd);
int mock_slot_pasid_replace(struct iommufd_ucmd *ucmd);
int mock_slot_pasid_detach(struct iommufd_ucmd *ucmd);
int mock_slot_pasid_check(struct iommufd_ucmd *ucmd);

int mock_check_map(struct iommufd_ucmd *ucmd);
int mock_check_refs(struct iommufd_ucmd *ucmd);
int mock_check_iotlb(struct iommufd_ucmd *ucmd);
int mock_check_cache(struct iommufd_ucmd *ucmd);

int mock_access_create(struct iommufd_ucmd *ucmd);
int mock_access_replace(struct iommufd_ucmd *ucmd);
int mock_access_rw(struct iommufd_ucmd *ucmd);
int mock_access_pin(struct iommufd_ucmd *ucmd);
int mock_access_unpin(struct iommufd_ucmd *ucmd);

int mock_dmabuf_create(struct iommufd_ucmd *ucmd);
int mock_dmabuf_revoke(struct iommufd_ucmd *ucmd);

int mock_dirty(struct iommufd_ucmd *ucmd);
int mock_iopf_trigger(struct iommufd_ucmd *ucmd);
int mock_viommu_trigger(struct iommufd_ucmd *ucmd);

#endif
