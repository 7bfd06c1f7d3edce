// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers that do their DMA in software get at an IOAS through an access. The
 * functions are here for them to link; none can be created yet.
 */
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/iommufd.h>

/**
 * iommufd_access_create - give a driver access to the memory of a context
 * @ictx: the context
 * @ops: called back when memory is unmapped
 * @data: passed to @ops
 * @id: set to the id of the new object
 *
 * Returns ERR_PTR(-EOPNOTSUPP): not there yet.
 */
struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ictx,
		      const struct iommufd_access_ops *ops, void *data, u32 *id)
{
	return ERR_PTR(-EOPNOTSUPP);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_create, "IOMMUFD");

/**
 * iommufd_access_destroy - end what iommufd_access_create() began
 * @access: the access
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	WARN_ON(access);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_destroy, "IOMMUFD");

/**
 * iommufd_access_attach - choose the IOAS that an access reaches
 * @access: the access
 * @ioas_id: id of the IOAS
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_attach, "IOMMUFD");

/**
 * iommufd_access_replace - change the IOAS that an access reaches
 * @access: the access
 * @ioas_id: id of the IOAS
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_replace, "IOMMUFD");

/**
 * iommufd_access_detach - leave the IOAS
 * @access: the access
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	WARN_ON(access);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_detach, "IOMMUFD");

/**
 * iommufd_access_pin_pages - pin the memory behind addresses
 * @access: the access
 * @iova: first address
 * @length: bytes
 * @out_pages: set to the pages
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pin_pages, "IOMMUFD");

/**
 * iommufd_access_unpin_pages - end what iommufd_access_pin_pages() began
 * @access: the access
 * @iova: first address
 * @length: bytes
 */
void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length)
{
	WARN_ON(access);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_unpin_pages, "IOMMUFD");

/**
 * iommufd_access_rw - read or write the memory behind addresses
 * @access: the access
 * @iova: first address
 * @data: kernel memory to copy to or from
 * @len: bytes
 * @flags: IOMMUFD_ACCESS_RW_*
 *
 * Returns -EOPNOTSUPP: not there yet.
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t len, unsigned int flags)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_rw, "IOMMUFD");
