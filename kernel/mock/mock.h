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
 * The interface of the software IOMMU to the rest of iommufd. Without
 * CONFIG_IOMMUFD_TEST it is not compiled in and has no overhead.
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
 * iommufd_mock_limit_memory - limit the size of a buffer as a test has set
 * @size: bytes that the caller would use to process something in portions
 *
 * Return: the bytes to use, which may be less than the size of one entry.
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
