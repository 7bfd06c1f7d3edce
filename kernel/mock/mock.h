/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MOCK_MOCK_H
#define __IOMMUFD_MOCK_MOCK_H

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/types.h>

struct device;
struct dma_buf_attachment;
struct iommufd_object_ops;
struct iommufd_ucmd;

/*
 * What the rest of iommufd knows of its software IOMMU. Without
 * CONFIG_IOMMUFD_TEST nothing of it is there and nothing of it costs anything.
 */
#ifdef CONFIG_IOMMUFD_TEST
#include "iommufd_test.h"

extern const struct iommufd_object_ops iommufd_mock_slot_ops;
extern unsigned int iommufd_mock_memory_limit;

int iommufd_mock_init(void);
void iommufd_mock_exit(void);

int iommufd_cmd_test(struct iommufd_ucmd *ucmd);

bool iommufd_mock_owns(struct device *dev);
bool iommufd_mock_should_fail(void);
int iommufd_mock_dmabuf_map(struct dma_buf_attachment *attachment,
			    struct phys_vec *phys);

/**
 * iommufd_mock_limit_memory - make temporary memory as small as a test wants it
 * @size: bytes that the caller would use to pass something on in portions
 *
 * Returns the bytes to use, which may be fewer than one entry.
 */
static inline size_t iommufd_mock_limit_memory(size_t size)
{
	return min_t(size_t, size, READ_ONCE(iommufd_mock_memory_limit));
}

#else

static inline int iommufd_mock_init(void)
{
	return 0;
}

static inline void iommufd_mock_exit(void)
{
}

static inline bool iommufd_mock_owns(struct device *dev)
{
	return false;
}

static inline bool iommufd_mock_should_fail(void)
{
	return false;
}

static inline int iommufd_mock_dmabuf_map(struct dma_buf_attachment *attachment,
					  struct phys_vec *phys)
{
	return -EOPNOTSUPP;
}

static inline size_t iommufd_mock_limit_memory(size_t size)
{
	return size;
}

#endif
#endif
