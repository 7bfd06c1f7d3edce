// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulates writes of a device to memory: marks pages dirty in the page table.
 */
#include <linux/bitmap.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "core/object.h"
#include "hwpt/hwpt.h"
#include "ioas/ioas.h"
#include "mock/driver.h"

/* Maximum bits of a request: 2 MiB of bitmap, or 32 GiB of memory. */
#define MOCK_DIRTY_MAX	BIT(24)

static int mark(struct mock_paging *paging, unsigned long iova,
		unsigned long page_size, unsigned long *bitmap,
		unsigned long nbits)
{
	struct pt_iommu *table = &paging->table.iommu;
	unsigned long bit;
	int ret;

	for_each_set_bit(bit, bitmap, nbits) {
		do {
			ret = table->ops->set_dirty(table,
						    iova + bit * page_size);
		} while (ret == -EAGAIN);
		if (ret)
			return ret;
	}
	return 0;
}

static int dirty(struct iommufd_hwpt_paging *hwpt, struct iommu_test_cmd *cmd)
{
	unsigned long nbits = cmd->dirty.length / cmd->dirty.page_size;
	struct mock_paging *paging = to_mock_paging(hwpt->common.domain);
	unsigned long *bitmap;
	int ret;

	/* An IOMMU marks nothing while tracking is disabled. */
	if (!paging || !READ_ONCE(paging->track_dirty))
		return -EINVAL;

	bitmap = kvcalloc(BITS_TO_LONGS(nbits), sizeof(*bitmap),
			  GFP_KERNEL_ACCOUNT);
	if (!bitmap)
		return -ENOMEM;
	ret = -EFAULT;
	if (copy_from_user(bitmap, u64_to_user_ptr(cmd->dirty.uptr),
			   BITS_TO_BYTES(nbits)))
		goto free;

	/* Keeps the page table from being written. */
	ret = down_write_killable(&hwpt->ioas->domains_rwsem);
	if (ret)
		goto free;
	ret = mark(paging, cmd->dirty.iova, cmd->dirty.page_size, bitmap,
		   nbits);
	up_write(&hwpt->ioas->domains_rwsem);
	cmd->dirty.out_nr_dirty = bitmap_weight(bitmap, nbits);
free:
	kvfree(bitmap);
	return ret;
}

/**
 * mock_dirty - IOMMU_TEST_OP_DIRTY
 * @ucmd: the request: a bitmap of the pages that a device writes to
 *
 * Return: 0 or a negative errno.
 */
int mock_dirty(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	u64 last;
	int ret;

	if (cmd->dirty.flags)
		return -EOPNOTSUPP;
	if (!cmd->dirty.page_size || !cmd->dirty.length ||
	    cmd->dirty.length / cmd->dirty.page_size > MOCK_DIRTY_MAX ||
	    check_add_overflow(cmd->dirty.iova, cmd->dirty.length - 1, &last))
		return -EINVAL;

	obj = iommufd_object_get(ucmd->ctx, cmd->id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = dirty(to_hwpt_paging(obj), cmd);
	iommufd_object_put(ucmd->ctx, obj);
	return ret ?: iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}
