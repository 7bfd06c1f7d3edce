// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that are no memory but registers of a device: a dma-buf of vfio-pci
 * that stands for a part of a BAR. They are not pinned, and not charged; their
 * owner may take them back at any time.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vfio_pci_core.h>

#include "core/ctx.h"
#include "mock/mock.h"
#include "pages/dmabuf.h"
#include "trace/fail.h"

/**
 * iommufd_dmabuf_lock - keep a dma-buf from being taken back, or from being
 * @dmabuf: the dma-buf
 */
void iommufd_dmabuf_lock(struct iommufd_dmabuf *dmabuf)
{
	dma_resv_lock(dmabuf->attachment->dmabuf->resv, NULL);
}

/*
 * The owner keeps the lock while he waits for whoever else uses the dma-buf. It
 * can be waited for until any signal comes, but not until a fatal one: so
 * SIGKILL is the only one that comes.
 */
static int lock_killable(struct dma_resv *resv)
{
	sigset_t only_kill, old;
	int ret;

	if (dma_resv_trylock(resv))
		return 0;
	siginitsetinv(&only_kill, sigmask(SIGKILL));
	sigprocmask(SIG_SETMASK, &only_kill, &old);
	ret = dma_resv_lock_interruptible(resv, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (!ret || fatal_signal_pending(current))
		return ret;
	/* The wait was ended by something that is no signal, as a freezer. */
	dma_resv_lock(resv, NULL);
	return 0;
}

/**
 * iommufd_dmabuf_lock_killable - as iommufd_dmabuf_lock(), unless killed
 * @dmabuf: the dma-buf
 *
 * Returns 0, or -EINTR if the caller was killed.
 */
int iommufd_dmabuf_lock_killable(struct iommufd_dmabuf *dmabuf)
{
	return lock_killable(dmabuf->attachment->dmabuf->resv);
}

/**
 * iommufd_dmabuf_unlock - end what iommufd_dmabuf_lock() began
 * @dmabuf: the dma-buf
 */
void iommufd_dmabuf_unlock(struct iommufd_dmabuf *dmabuf)
{
	dma_resv_unlock(dmabuf->attachment->dmabuf->resv);
}

/*
 * The owner takes the dma-buf back, or moves it. Where it has gone is not
 * looked for: user space maps it again.
 */
static void take_back(struct dma_buf_attachment *attachment)
{
	struct iommufd_dmabuf *dmabuf = attachment->importer_priv;

	dma_resv_assert_held(attachment->dmabuf->resv);
	iommufd_dmabuf_unmap_all(dmabuf);
	dmabuf->revoked = true;
}

static const struct dma_buf_attach_ops attach_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = take_back,
};

/* vfio-pci and iommufd are modules that need each other. */
static int ask_vfio_pci(struct dma_buf_attachment *attachment,
			struct phys_vec *phys)
{
	typeof(vfio_pci_dma_buf_iommufd_map) *map;
	int ret;

	if (!IS_ENABLED(CONFIG_VFIO_PCI_DMABUF))
		return -EOPNOTSUPP;
	map = symbol_get(vfio_pci_dma_buf_iommufd_map);
	if (!map)
		return -EOPNOTSUPP;
	ret = map(attachment, phys);
	symbol_put(vfio_pci_dma_buf_iommufd_map);
	return ret;
}

/* Where an exporter that knows iommufd says no, it has nothing to give now. */
static int explain(int error)
{
	if (error == -ENOMEM)
		return error;
	return iommufd_fail(error,
			    error == -EOPNOTSUPP || error == -EINVAL ?
				    IOMMUFD_REASON_DMABUF_EXPORTER :
				    IOMMUFD_REASON_DMABUF_REVOKED,
			    0, 0);
}

/* The physical address of start..start+length-1; the dma-buf is locked. */
static int find_phys(struct iommufd_dmabuf *dmabuf, unsigned long start,
		     unsigned long length, phys_addr_t *phys)
{
	struct phys_vec range;
	int ret;

	ret = iommufd_mock_dmabuf_map(dmabuf->attachment, &range);
	if (ret == -EOPNOTSUPP)
		ret = ask_vfio_pci(dmabuf->attachment, &range);
	if (ret)
		return explain(ret);
	if (!PAGE_ALIGNED(range.paddr) || start >= range.len ||
	    length > range.len - start)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_DMABUF_RANGE, start,
				    range.len);
	/* What was taken back before now is there again. */
	dmabuf->revoked = false;
	*phys = range.paddr + start;
	return 0;
}

static int wait_killable(struct dma_resv *resv)
{
	int ret = lock_killable(resv);

	if (!ret)
		dma_resv_unlock(resv);
	return ret;
}

/**
 * iommufd_dmabuf_wait - wait until nobody has a dma-buf locked
 * @dmabuf: the dma-buf
 *
 * For who is about to lock it where there is no way back: only a lock that is
 * taken right after this is waited for then, whether the caller is killed or
 * not.
 *
 * Returns 0, or -EINTR if the caller was killed.
 */
int iommufd_dmabuf_wait(struct iommufd_dmabuf *dmabuf)
{
	return wait_killable(dmabuf->attachment->dmabuf->resv);
}

/**
 * iommufd_dmabuf_check - whether a dma-buf can be mapped anew
 * @dmabuf: the dma-buf
 *
 * Returns 0, -ENODEV if its owner has taken it back since it was attached to,
 * or -EINTR if the caller was killed. It may be taken back right after.
 */
int iommufd_dmabuf_check(struct iommufd_dmabuf *dmabuf)
{
	int ret;

	ret = iommufd_dmabuf_lock_killable(dmabuf);
	if (ret)
		return ret;
	if (dmabuf->revoked)
		ret = iommufd_fail(-ENODEV, IOMMUFD_REASON_DMABUF_REVOKED, 0,
				   0);
	iommufd_dmabuf_unlock(dmabuf);
	return ret;
}

/**
 * iommufd_dmabuf_attach - attach to a dma-buf
 * @dma_buf: the dma-buf, of which a reference is taken
 * @start: offset into it
 * @length: bytes
 * @phys: set to the physical address behind @start
 *
 * Ended with iommufd_dmabuf_detach().
 *
 * Returns the attachment or an ERR_PTR: -EINVAL if the range is not within the
 * dma-buf, -EOPNOTSUPP if it comes from a driver that does not tell iommufd
 * where it is, -ENODEV if its owner has taken it back, -ENOMEM, or -EINTR if the
 * caller was killed.
 */
struct iommufd_dmabuf *iommufd_dmabuf_attach(struct dma_buf *dma_buf,
					     unsigned long start,
					     unsigned long length,
					     phys_addr_t *phys)
{
	struct dma_buf_attachment *attachment;
	struct iommufd_dmabuf *dmabuf;
	int ret;

	dmabuf = kzalloc_obj(*dmabuf, GFP_KERNEL_ACCOUNT);
	if (!dmabuf)
		return ERR_PTR(-ENOMEM);
	dmabuf->mappings = RB_ROOT;
	/* To attach is to lock it where nothing can be killed. */
	ret = wait_killable(dma_buf->resv);
	if (ret) {
		kfree(dmabuf);
		return ERR_PTR(ret);
	}
	attachment = dma_buf_dynamic_attach(dma_buf, iommufd_misc_device(),
					    &attach_ops, dmabuf);
	if (IS_ERR(attachment)) {
		kfree(dmabuf);
		return ERR_PTR(explain(PTR_ERR(attachment)));
	}
	dmabuf->attachment = attachment;
	get_dma_buf(dma_buf);

	iommufd_dmabuf_lock(dmabuf);
	ret = find_phys(dmabuf, start, length, phys);
	iommufd_dmabuf_unlock(dmabuf);
	if (ret) {
		iommufd_dmabuf_detach(dmabuf);
		return ERR_PTR(ret);
	}
	return dmabuf;
}

/**
 * iommufd_dmabuf_detach - end what iommufd_dmabuf_attach() began
 * @dmabuf: the attachment; no page table maps it
 */
void iommufd_dmabuf_detach(struct iommufd_dmabuf *dmabuf)
{
	struct dma_buf *dma_buf = dmabuf->attachment->dmabuf;

	WARN_ON(!RB_EMPTY_ROOT(&dmabuf->mappings));
	dma_buf_detach(dma_buf, dmabuf->attachment);
	dma_buf_put(dma_buf);
	kfree(dmabuf);
}
