/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of the backend iommufd.c that a backend for other objects shares. */
#ifndef BENCH_IOMMUFD_H
#define BENCH_IOMMUFD_H

#include <linux/iommufd.h>
#include <stdint.h>

/**
 * struct iommufd - what the backend has opened
 * @file: /dev/iommu, or -1
 * @ioas: two address spaces; the second one is the target of copies
 * @device: id of the latest device
 */
struct iommufd {
	int file;
	uint32_t ioas[2];
	uint32_t device;
};

extern struct iommufd iommufd;

/* With @device and @pt_id filled in, and @size set; returns the id. */
uint32_t iommufd_hwpt_alloc(struct iommu_hwpt_alloc alloc);

/* Attaches the latest device, or moves it. */
void iommufd_attach(uint32_t pt_id);

void iommufd_destroy(uint32_t id);

void iommufd_open(unsigned int tables);
void iommufd_close(void);

#endif
