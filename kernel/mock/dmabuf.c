// SPDX-License-Identifier: GPL-2.0-only
/*
 * An exporter of dma-bufs that iommufd maps by physical address, like those of
 * VFIO devices, and that a test can revoke.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "core/ioctl.h"
#include "mock/dmabuf.h"
#include "mock/driver.h"
#include "mock/knobs.h"
#include "mock/mock.h"

MODULE_IMPORT_NS("DMA_BUF");

/**
 * struct mock_dmabuf - the memory of a dma-buf
 * @memory: ordinary memory, physically contiguous
 * @size: its size in bytes
 * @revoked: it must not be used. Protected by the dma_resv lock of the dma-buf
 */
struct mock_dmabuf {
	void *memory;
	size_t size;
	bool revoked;
};

static int dmabuf_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attachment)
{
	/* Only importers that can be made to stop using it may attach. */
	return dma_buf_attach_revocable(attachment) ? 0 : -EOPNOTSUPP;
}

static struct sg_table *dmabuf_map(struct dma_buf_attachment *attachment,
				   enum dma_data_direction dir)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void dmabuf_unmap(struct dma_buf_attachment *attachment,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
}

static void dmabuf_release(struct dma_buf *dmabuf)
{
	struct mock_dmabuf *priv = dmabuf->priv;

	free_pages_exact(priv->memory, priv->size);
	kfree(priv);
}

static const struct dma_buf_ops mock_dmabuf_ops = {
	.attach = dmabuf_attach,
	.map_dma_buf = dmabuf_map,
	.unmap_dma_buf = dmabuf_unmap,
	.release = dmabuf_release,
};

/**
 * iommufd_mock_dmabuf_map - get the physical address of a dma-buf
 * @attachment: an attachment to it
 * @phys: set to its only range
 *
 * The address is valid until the importer's invalidate_mappings callback.
 *
 * Context: The caller must hold the dma_resv lock of the dma-buf.
 * Return: 0, -EOPNOTSUPP if another exporter has exported the dma-buf, or
 * -ENODEV if it is revoked.
 */
int iommufd_mock_dmabuf_map(struct dma_buf_attachment *attachment,
			    struct phys_vec *phys)
{
	struct dma_buf *dmabuf = attachment->dmabuf;
	struct mock_dmabuf *priv = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);

	if (dmabuf->ops != &mock_dmabuf_ops)
		return -EOPNOTSUPP;
	if (priv->revoked)
		return -ENODEV;
	phys->paddr = virt_to_phys(priv->memory);
	phys->len = priv->size;
	return 0;
}

static struct dma_buf *dmabuf_alloc(size_t size, u32 open_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct mock_dmabuf *priv;
	struct dma_buf *dmabuf;

	priv = kzalloc_obj(*priv, GFP_KERNEL_ACCOUNT);
	if (!priv)
		return ERR_PTR(-ENOMEM);
	priv->size = size;
	priv->memory = alloc_pages_exact(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!priv->memory) {
		kfree(priv);
		return ERR_PTR(-ENOMEM);
	}

	info.ops = &mock_dmabuf_ops;
	info.size = size;
	info.flags = open_flags;
	info.priv = priv;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		free_pages_exact(priv->memory, priv->size);
		kfree(priv);
	}
	return dmabuf;
}

/**
 * mock_dmabuf_create - IOMMU_TEST_OP_DMABUF_GET
 * @ucmd: the request
 *
 * The request has no field for the file descriptor, so it is the result of the
 * ioctl.
 *
 * Return: a file descriptor or a negative errno.
 */
int mock_dmabuf_create(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 open_flags = cmd->dmabuf_get.open_flags;
	size_t size = cmd->dmabuf_get.length;
	struct dma_buf *dmabuf;
	int fd;

	if (!size || !PAGE_ALIGNED(size) || size > PAGE_SIZE << MAX_PAGE_ORDER)
		return -EINVAL;
	if (open_flags & ~(O_ACCMODE | O_CLOEXEC))
		return -EINVAL;

	dmabuf = dmabuf_alloc(size, open_flags);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, open_flags);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static void revoke(struct dma_buf *dmabuf, bool revoked)
{
	struct mock_dmabuf *priv = dmabuf->priv;

	dma_resv_lock(dmabuf->resv, NULL);
	if (priv->revoked != revoked) {
		priv->revoked = revoked;
		mock_hold(&mock_knobs.revokes);
		/* On return, iommufd, the only importer, has stopped. */
		if (revoked)
			dma_buf_invalidate_mappings(dmabuf);
	}
	dma_resv_unlock(dmabuf->resv);
}

/**
 * mock_dmabuf_revoke - IOMMU_TEST_OP_DMABUF_REVOKE
 * @ucmd: the request: revokes a dma-buf, or makes it available again
 *
 * Return: 0 or a negative errno.
 */
int mock_dmabuf_revoke(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct dma_buf *dmabuf;
	int ret = -EINVAL;

	dmabuf = dma_buf_get(cmd->dmabuf_revoke.dmabuf_fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (dmabuf->ops == &mock_dmabuf_ops) {
		revoke(dmabuf, cmd->dmabuf_revoke.revoked);
		ret = 0;
	}
	dma_buf_put(dmabuf);
	return ret;
}
