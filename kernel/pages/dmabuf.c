// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that are device registers instead of memory: a dma-buf of vfio-pci that
 * exports a part of a BAR. They are neither pinned nor charged. Their exporter
 * may revoke them at any time.
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
 * iommufd_dmabuf_lock - lock a dma-buf, so that it can't be revoked
 * @dmabuf: the dma-buf
 */
void iommufd_dmabuf_lock(struct iommufd_dmabuf *dmabuf)
{
	dma_resv_lock(dmabuf->attachment->dmabuf->resv, NULL);
}

/*
 * The exporter may hold the lock while it waits for other users of the dma-buf.
 * dma_resv locks can be taken interruptibly but not killably. So block all
 * signals but SIGKILL.
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
	/* Something other than a signal ended the wait, such as the freezer. */
	dma_resv_lock(resv, NULL);
	return 0;
}

/**
 * iommufd_dmabuf_lock_killable - like iommufd_dmabuf_lock(), but killable
 * @dmabuf: the dma-buf
 *
 * Return: 0, or -EINTR if the caller was killed.
 */
int iommufd_dmabuf_lock_killable(struct iommufd_dmabuf *dmabuf)
{
	return lock_killable(dmabuf->attachment->dmabuf->resv);
}

/**
 * iommufd_dmabuf_unlock - undo iommufd_dmabuf_lock()
 * @dmabuf: the dma-buf
 */
void iommufd_dmabuf_unlock(struct iommufd_dmabuf *dmabuf)
{
	dma_resv_unlock(dmabuf->attachment->dmabuf->resv);
}

/*
 * The exporter revokes or moves the dma-buf. The new location of a moved one is
 * not looked up: user space has to map it again.
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

/* Looked up at run time, as vfio-pci and iommufd depend on each other. */
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

/* Any other error means that a supported exporter has revoked the dma-buf. */
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

/* Physical address of start..start+length-1; the dma-buf must be locked. */
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
	/* It may have been revoked before, but it is available again. */
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
 * iommufd_dmabuf_wait - wait until a dma-buf is not locked
 * @dmabuf: the dma-buf
 *
 * For callers that later lock the dma-buf where they can neither fail nor be
 * killed: that lock then waits only for tasks that take it right after this.
 *
 * Return: 0, or -EINTR if the caller was killed.
 */
int iommufd_dmabuf_wait(struct iommufd_dmabuf *dmabuf)
{
	return wait_killable(dmabuf->attachment->dmabuf->resv);
}

/**
 * iommufd_dmabuf_check - check whether a dma-buf can be mapped again
 * @dmabuf: the dma-buf
 *
 * The dma-buf may be revoked right after this.
 *
 * Return: 0, -ENODEV if its exporter has revoked it since the attach, or -EINTR
 * if the caller was killed.
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
 * @dma_buf: the dma-buf, on which a reference is taken
 * @start: offset into it
 * @length: bytes
 * @phys: set to the physical address of @start
 *
 * The caller ends this with iommufd_dmabuf_detach().
 *
 * Return: the attachment or an ERR_PTR: -EINVAL if the range is not within the
 * dma-buf, -EOPNOTSUPP if its exporter does not provide physical addresses to
 * iommufd, -ENODEV if its exporter has revoked it, -ENOMEM, or -EINTR if the
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
	/* The attach takes the lock unkillably: wait for it killably first. */
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
 * iommufd_dmabuf_detach - undo iommufd_dmabuf_attach()
 * @dmabuf: the attachment, which no page table maps
 */
void iommufd_dmabuf_detach(struct iommufd_dmabuf *dmabuf)
{
	struct dma_buf *dma_buf = dmabuf->attachment->dmabuf;

	WARN_ON(!RB_EMPTY_ROOT(&dmabuf->mappings));
	dma_buf_detach(dma_buf, dmabuf->attachment);
	dma_buf_put(dma_buf);
	kfree(dmabuf);
}
