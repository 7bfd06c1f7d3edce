/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_CORE_MMAP_H
#define __IOMMUFD_CORE_MMAP_H

#include <linux/list.h>
#include <linux/types.h>

struct file;
struct iommufd_object;
struct vm_area_struct;

/**
 * struct iommufd_mmap - pages of the hardware that user space can map
 * @node: link in &iommufd_ctx.mmaps
 * @owner: the object that they belong to; it can't be destroyed while they are
 *	mapped
 * @offset: offset in the file, page aligned
 * @length: bytes, page aligned
 * @phys: physical address, page aligned
 */
struct iommufd_mmap {
	struct list_head node;
	struct iommufd_object *owner;
	unsigned long offset;
	size_t length;
	phys_addr_t phys;
};

int iommufd_fops_mmap(struct file *file, struct vm_area_struct *vma);

#endif
