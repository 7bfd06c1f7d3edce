// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps pages of the hardware into user space, so that guests can access them
 * directly. Drivers offer such pages, see builtin/mmap.c. Each offer has an
 * offset in the file and can only be mapped as a whole.
 */
#include <linux/fs.h>
#include <linux/mm.h>

#include "core/ctx.h"
#include "core/mmap.h"
#include "core/object.h"
#include "trace/fail.h"

static void mmap_open(struct vm_area_struct *vma)
{
	struct iommufd_object *owner = vma->vm_private_data;

	/* Split from or copied from a VMA that depends on the owner. */
	refcount_inc(&owner->users);
}

static void mmap_close(struct vm_area_struct *vma)
{
	iommufd_object_undepend(vma->vm_private_data);
}

static const struct vm_operations_struct mmap_ops = {
	.open = mmap_open,
	.close = mmap_close,
};

/* Find the offer at an offset of the file and depend on its owner. */
static bool find(struct iommufd_ctx *ctx, unsigned long pgoff, size_t length,
		 struct iommufd_mmap *found)
{
	struct iommufd_mmap *each;
	bool held = false;

	mutex_lock(&ctx->mmaps_lock);
	list_for_each_entry(each, &ctx->mmaps, node) {
		if (PHYS_PFN(each->offset) != pgoff || each->length != length)
			continue;
		held = iommufd_object_try_depend(ctx, each->owner);
		*found = *each;
		break;
	}
	mutex_unlock(&ctx->mmaps_lock);
	return held;
}

static int map(struct iommufd_ctx *ctx, struct vm_area_struct *vma)
{
	unsigned long length = vma->vm_end - vma->vm_start;
	struct iommufd_mmap found;
	int ret;

	if (!(vma->vm_flags & VM_SHARED))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_MMAP_FLAGS,
				    vma->vm_flags, 0);
	if (vma->vm_flags & VM_EXEC)
		return iommufd_fail(-EPERM, IOMMUFD_REASON_MMAP_FLAGS,
				    vma->vm_flags, 0);
	if (!find(ctx, vma->vm_pgoff, length, &found))
		return iommufd_fail(-ENXIO, IOMMUFD_REASON_MMAP_OFFSET,
				    PFN_PHYS((u64)vma->vm_pgoff), length);

	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_MAYEXEC);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	ret = io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(found.phys),
				 length, vma->vm_page_prot);
	if (ret) {
		iommufd_object_undepend(found.owner);
		return ret;
	}
	vma->vm_private_data = found.owner;
	vma->vm_ops = &mmap_ops;
	return 0;
}

int iommufd_fops_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct iommufd_ctx *ctx = file->private_data;
	struct iommufd_request request;

	iommufd_request_begin(&request, ctx->number, IOMMUFD_REQUEST_MMAP);
	return iommufd_request_end(&request, map(ctx, vma));
}
